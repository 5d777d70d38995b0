"""months closed and reopened for ever, each closing with its filed figures; who proposed and who confirmed"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('village_presence', sa.Column('closing', NUMBER, nullable=False, server_default='1'))
    closed = op.get_bind().execute(sa.text('SELECT period, closed_at FROM ledger_period ORDER BY period')).all()
    op.drop_table('ledger_period')  # its guards go with it
    acts = op.create_table(
        'ledger_period',
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('number', NUMBER, autoincrement=False, nullable=False),
        sa.Column('at', sa.DateTime(), nullable=False),
        sa.Column('filed', sa.Text(), nullable=True),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.Column('head_number', NUMBER, nullable=False),
        sa.Column('head_hash', sa.String(length=64), nullable=False),
        sa.CheckConstraint('number > 0', name=op.f('ck_ledger_period_number')),
        sa.CheckConstraint('(number % 2 = 1) = (filed IS NOT NULL)', name=op.f('ck_ledger_period_filed')),
        sa.CheckConstraint('(filed IS NULL) = (sha256 IS NULL)', name=op.f('ck_ledger_period_sha256')),
        sa.PrimaryKeyConstraint('period', 'number', name='pk_ledger_period')
    )
    # no page could close a month before; one closed by hand filed nothing, which the audit then says
    moment = sa.DateTime().with_variant(sa.Text(), 'sqlite')
    op.bulk_insert(sa.table('ledger_period', *(sa.column(c.name, moment if c.name == 'at' else c.type)
                                               for c in acts.c)), [
        {'period': row.period, 'number': 1, 'at': row.closed_at, 'filed': '', 'sha256': '0' * 64, 'head_number': 0,
         'head_hash': '0' * 64} for row in closed])
    guard()
    op.create_table(
        'period_proposal',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('number', NUMBER, nullable=False),
        sa.Column('reason', sa.String(length=300), nullable=False),
        sa.Column('waiting', sa.JSON(), nullable=False),
        sa.Column('proposed_by', NUMBER, nullable=False),
        sa.Column('proposed_at', sa.DateTime(), nullable=False),
        sa.Column('outcome', sa.Enum('confirmed', 'withdrawn', name='outcome', native_enum=False,
                                     create_constraint=True, length=24), nullable=True),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint("outcome IS NULL OR outcome <> 'confirmed' OR decided_by <> proposed_by",
                           name=op.f('ck_period_proposal_second_person')),
        sa.CheckConstraint('(outcome IS NULL) = (decided_by IS NULL) AND (outcome IS NULL) = (decided_at IS NULL)',
                           name=op.f('ck_period_proposal_decided')),
        sa.CheckConstraint("number % 2 = 1 OR reason <> ''", name=op.f('ck_period_proposal_reason')),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_period_proposal_decided_by'),
        sa.ForeignKeyConstraint(['proposed_by'], ['user.id'], name='fk_period_proposal_proposed_by'),
        sa.PrimaryKeyConstraint('id', name='pk_period_proposal')
    )
    open_only, confirmed = sa.text('outcome IS NULL'), sa.text("outcome = 'confirmed'")
    op.create_index('uq_period_proposal_open', 'period_proposal', ['period'], unique=True, sqlite_where=open_only,
                    postgresql_where=open_only)
    op.create_index('uq_period_proposal_act', 'period_proposal', ['period', 'number'], unique=True,
                    sqlite_where=confirmed, postgresql_where=confirmed)


def guard() -> None:
    """The table only grows, as in 0002."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('CREATE TRIGGER ledger_period_grows BEFORE UPDATE OR DELETE ON ledger_period '
                   'FOR EACH ROW EXECUTE FUNCTION refuse_change()')
        op.execute('CREATE TRIGGER ledger_period_is_not_emptied BEFORE TRUNCATE ON ledger_period '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')
        return
    for deed in ('UPDATE', 'DELETE'):
        op.execute(f'CREATE TRIGGER ledger_period_no_{deed.lower()} BEFORE {deed} ON ledger_period '
                   f"BEGIN SELECT RAISE(ABORT, 'ledger_period only grows: {deed} is refused'); END")


def downgrade() -> None:
    op.drop_table('period_proposal')
    closed = op.get_bind().execute(sa.text(
        'SELECT period, MAX(at) AS at FROM ledger_period GROUP BY period HAVING MAX(number) % 2 = 1')).all()
    op.drop_table('ledger_period')
    op.create_table(
        'ledger_period',
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('closed_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('period', name=op.f('pk_ledger_period'))
    )
    moment = sa.DateTime().with_variant(sa.Text(), 'sqlite')
    op.bulk_insert(sa.table('ledger_period', sa.column('period', sa.String), sa.column('closed_at', moment)),
                   [{'period': row.period, 'closed_at': row.at} for row in closed])
    guard()
    op.drop_column('village_presence', 'closing')
