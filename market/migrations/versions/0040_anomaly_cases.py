"""cases of what stands out, answers to them, orders held out of figures"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOVED = """
INSERT INTO anomaly_case (kind, key, grave, object, value, facts, evidence, day, rule_version, found_at, due_on,
    state, note, proposed_by, proposed_at, decided_by, decided_at)
SELECT kind, key, {false}, key, 'noted before cases were kept', {empty}, {none}, date(handled_at), 1, handled_at,
    date(handled_at),
    CASE WHEN result = 'passed_on' THEN 'upheld' ELSE 'cleared' END, note, handled_by, handled_at, handled_by,
    handled_at FROM anomaly_handling
"""
BACK = """
INSERT INTO anomaly_handling (kind, key, result, note, handled_by, handled_at)
SELECT kind, key, CASE WHEN state = 'upheld' THEN 'passed_on' ELSE 'in_order' END, note, decided_by, decided_at
FROM anomaly_case WHERE decided_at IS NOT NULL
"""


def _choice(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _to(column, target, table):
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=f'fk_{table}_{column}')


def upgrade() -> None:
    op.create_table(
        'anomaly_case',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('kind', sa.String(length=24), nullable=False),
        sa.Column('key', sa.String(length=120), nullable=False),
        sa.Column('grave', sa.Boolean(), nullable=False),
        sa.Column('object', sa.Text(), nullable=False),
        sa.Column('value', sa.Text(), nullable=False),
        sa.Column('facts', sa.JSON(), nullable=False),
        sa.Column('evidence', sa.JSON(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('unit_id', NUMBER, nullable=True),
        sa.Column('supplier_id', NUMBER, nullable=True),
        sa.Column('rule_version', NUMBER, nullable=False),
        sa.Column('found_at', sa.DateTime(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('state', _choice('state', 'open', 'answered', 'cleared', 'upheld'), nullable=False),
        sa.Column('proposal', _choice('proposal', 'cleared', 'upheld'), nullable=True),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('proposed_by', NUMBER, nullable=True),
        sa.Column('proposed_at', sa.DateTime(), nullable=True),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint("(state IN ('cleared', 'upheld')) = (decided_at IS NOT NULL)",
                           name=op.f('ck_anomaly_case_decided')),
        sa.CheckConstraint('proposal IS NULL OR proposed_by IS NOT NULL', name=op.f('ck_anomaly_case_proposed')),
        sa.CheckConstraint(
            'NOT grave OR decided_by IS NULL OR (proposed_by IS NOT NULL AND decided_by <> proposed_by)',
            name=op.f('ck_anomaly_case_second_person')),
        _to('unit_id', 'organisation', 'anomaly_case'), _to('supplier_id', 'organisation', 'anomaly_case'),
        _to('proposed_by', 'user', 'anomaly_case'), _to('decided_by', 'user', 'anomaly_case'),
        sa.PrimaryKeyConstraint('id', name='pk_anomaly_case'),
        sa.UniqueConstraint('kind', 'key', name='uq_anomaly_case_kind_key')
    )
    op.create_index('ix_anomaly_case_state', 'anomaly_case', ['state', 'due_on'])
    op.create_index('ix_anomaly_case_unit_id', 'anomaly_case', ['unit_id'])
    op.create_index('ix_anomaly_case_supplier_id', 'anomaly_case', ['supplier_id'])
    op.create_table(
        'anomaly_case_order',
        sa.Column('case_id', NUMBER, nullable=False), sa.Column('order_id', NUMBER, nullable=False),
        _to('case_id', 'anomaly_case', 'anomaly_case_order'), _to('order_id', 'order', 'anomaly_case_order'),
        sa.PrimaryKeyConstraint('case_id', 'order_id', name='pk_anomaly_case_order')
    )
    op.create_index('ix_anomaly_case_order_order_id', 'anomaly_case_order', ['order_id'])
    op.create_table(
        'anomaly_answer',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('case_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('words', sa.Text(), nullable=False),
        sa.Column('file_id', NUMBER, nullable=True),
        sa.Column('answered_by', NUMBER, nullable=False),
        sa.Column('answered_at', sa.DateTime(), nullable=False),
        _to('case_id', 'anomaly_case', 'anomaly_answer'), _to('supplier_id', 'organisation', 'anomaly_answer'),
        _to('file_id', 'stored_file', 'anomaly_answer'), _to('answered_by', 'user', 'anomaly_answer'),
        sa.PrimaryKeyConstraint('id', name='pk_anomaly_answer')
    )
    op.create_index('ix_anomaly_answer_case_id', 'anomaly_answer', ['case_id'])
    op.create_index('ix_anomaly_answer_file_id', 'anomaly_answer', ['file_id'])
    op.create_table(
        'order_hold',
        sa.Column('case_id', NUMBER, nullable=False),
        sa.Column('order_number', sa.String(length=24), nullable=False),
        sa.Column('held_at', sa.DateTime(), nullable=False),
        sa.Column('for_good', sa.Boolean(), nullable=False),
        sa.Column('released_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('NOT for_good OR released_at IS NULL', name=op.f('ck_order_hold_for_good')),
        _to('case_id', 'anomaly_case', 'order_hold'),
        sa.PrimaryKeyConstraint('case_id', 'order_number', name='pk_order_hold')
    )
    op.create_index('ix_order_hold_standing', 'order_hold', ['order_number'],
                    sqlite_where=sa.text('released_at IS NULL'), postgresql_where=sa.text('released_at IS NULL'))
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    op.execute(MOVED.format(false='0', empty="'{}'", none="'[]'") if is_sqlite else
               MOVED.format(false='false', empty="'{}'::json", none="'[]'::json"))
    op.drop_table('anomaly_handling')


def downgrade() -> None:
    op.create_table(
        'anomaly_handling',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('kind', sa.String(length=24), nullable=False),
        sa.Column('key', sa.String(length=120), nullable=False),
        sa.Column('result', _choice('result', 'in_order', 'mended', 'passed_on'), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('handled_by', NUMBER, nullable=False),
        sa.Column('handled_at', sa.DateTime(), nullable=False),
        _to('handled_by', 'user', 'anomaly_handling'),
        sa.PrimaryKeyConstraint('id', name='pk_anomaly_handling'),
        sa.UniqueConstraint('kind', 'key', name='uq_anomaly_handling_kind_key')
    )
    op.execute(BACK)
    for table in ('order_hold', 'anomaly_answer', 'anomaly_case_order', 'anomaly_case'):
        op.drop_table(table)
