"""steps of approval, changes of orders, tender limits, receiving schemes, anomalies"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TABLES = ('anomaly_handling', 'scheme_declaration', 'tender_limit', 'order_line_change', 'order_amendment',
          'approval_decision', 'approval_step', 'approval_rule')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _key(column: str, target: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=f'fk_{table}_{column}')


def upgrade() -> None:
    op.create_table(
        'approval_rule',
        sa.Column('id', NUMBER, nullable=False), sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('fund_source', _choice('fund_source', 'any', 'canteen', 'union', 'staff'), nullable=False),
        sa.Column('from_fen', NUMBER, nullable=False), sa.Column('step_no', NUMBER, nullable=False),
        sa.Column('role', _choice('role', 'approver', 'leader'), nullable=False),
        sa.Column('set_by', NUMBER, nullable=True), sa.Column('set_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('from_fen >= 0 AND step_no BETWEEN 1 AND 9', name=op.f('ck_approval_rule_figures')),
        _key('unit_id', 'organisation', 'approval_rule'), _key('set_by', 'user', 'approval_rule'),
        sa.PrimaryKeyConstraint('id', name='pk_approval_rule'),
        sa.UniqueConstraint('unit_id', 'fund_source', 'step_no',
                            name='uq_approval_rule_unit_id_fund_source_step_no'))
    op.create_index('ix_approval_rule_unit_id', 'approval_rule', ['unit_id'])
    op.create_table(
        'approval_step',
        sa.Column('id', NUMBER, nullable=False), sa.Column('purchase_id', NUMBER, nullable=False),
        sa.Column('round_no', NUMBER, nullable=False), sa.Column('step_no', NUMBER, nullable=False),
        sa.Column('role', _choice('role', 'approver', 'leader'), nullable=False),
        sa.Column('from_fen', NUMBER, nullable=False), sa.Column('compared_fen', NUMBER, nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False), sa.Column('asked_at', sa.DateTime(), nullable=False),
        _key('purchase_id', 'purchase', 'approval_step'), _key('asked_by', 'user', 'approval_step'),
        sa.PrimaryKeyConstraint('id', name='pk_approval_step'),
        sa.UniqueConstraint('purchase_id', 'round_no', 'step_no',
                            name='uq_approval_step_purchase_id_round_no_step_no'))
    op.create_table(
        'approval_decision',
        sa.Column('id', NUMBER, nullable=False), sa.Column('step_id', NUMBER, nullable=False),
        sa.Column('purchase_id', NUMBER, nullable=False), sa.Column('round_no', NUMBER, nullable=False),
        sa.Column('step_no', NUMBER, nullable=False), sa.Column('decided_by', NUMBER, nullable=False),
        sa.Column('decision', _choice('decision', 'approve', 'decline'), nullable=False),
        sa.Column('content_hash', sa.String(length=64), nullable=False), sa.Column('at', sa.DateTime(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('way', _choice('way', 'here', 'paper'), nullable=False),
        sa.Column('signed_by', sa.Text(), nullable=False), sa.Column('signed_by_user', NUMBER, nullable=True),
        sa.Column('signed_on', sa.Date(), nullable=True), sa.Column('file_id', NUMBER, nullable=True),
        sa.CheckConstraint("way = 'here' OR (file_id IS NOT NULL AND signed_on IS NOT NULL AND signed_by <> '')",
                           name=op.f('ck_approval_decision_paper')),
        _key('step_id', 'approval_step', 'approval_decision'), _key('purchase_id', 'purchase', 'approval_decision'),
        _key('decided_by', 'user', 'approval_decision'), _key('signed_by_user', 'user', 'approval_decision'),
        _key('file_id', 'stored_file', 'approval_decision'),
        sa.PrimaryKeyConstraint('id', name='pk_approval_decision'),
        sa.UniqueConstraint('step_id', name='uq_approval_decision_step_id'))
    op.create_index('ix_approval_decision_purchase_id', 'approval_decision', ['purchase_id'])
    op.create_index('uq_approval_decision_person', 'approval_decision', ['purchase_id', 'round_no', 'decided_by'],
                    unique=True, sqlite_where=sa.text("way = 'here'"), postgresql_where=sa.text("way = 'here'"))
    _changes()
    _limits()
    _ask_for_what_waits()


def _changes() -> None:
    op.create_table(
        'order_amendment',
        sa.Column('id', NUMBER, nullable=False), sa.Column('purchase_id', NUMBER, nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'reduced', 'raised', 'parted'), nullable=False),
        sa.Column('new_order_id', NUMBER, nullable=True), sa.Column('round_no', NUMBER, nullable=True),
        sa.Column('amended_by', NUMBER, nullable=False), sa.Column('amended_at', sa.DateTime(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False), sa.Column('before_fen', NUMBER, nullable=False),
        sa.Column('after_fen', NUMBER, nullable=False),
        _key('purchase_id', 'purchase', 'order_amendment'), _key('order_id', 'order', 'order_amendment'),
        _key('new_order_id', 'order', 'order_amendment'), _key('amended_by', 'user', 'order_amendment'),
        sa.PrimaryKeyConstraint('id', name='pk_order_amendment'))
    op.create_index('ix_order_amendment_purchase_id', 'order_amendment', ['purchase_id'])
    op.create_index('ix_order_amendment_order_id', 'order_amendment', ['order_id'])
    op.create_table(
        'order_line_change',
        sa.Column('id', NUMBER, nullable=False), sa.Column('amendment_id', NUMBER, nullable=False),
        sa.Column('line_id', NUMBER, nullable=False), sa.Column('product_id', NUMBER, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (
            'product_name', 'product_name_en', 'unit', 'unit_en')),
        *(sa.Column(name, NUMBER, nullable=False) for name in (
            'price_fen', 'before_milli', 'after_milli', 'before_fen', 'after_fen')),
        sa.CheckConstraint('before_milli >= 0 AND after_milli >= 0', name=op.f('ck_order_line_change_amounts')),
        _key('amendment_id', 'order_amendment', 'order_line_change'),
        _key('product_id', 'product', 'order_line_change'),
        sa.PrimaryKeyConstraint('id', name='pk_order_line_change'))
    op.create_index('ix_order_line_change_amendment_id', 'order_line_change', ['amendment_id'])


def _limits() -> None:
    op.create_table(
        'tender_limit',
        sa.Column('id', NUMBER, nullable=False), sa.Column('division_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False), sa.Column('category', sa.String(length=40), nullable=False),
        sa.Column('limit_fen', NUMBER, nullable=False), sa.Column('document', sa.Text(), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=True), sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('limit_fen > 0 AND year BETWEEN 2015 AND 2099', name=op.f('ck_tender_limit_figures')),
        _key('division_id', 'division', 'tender_limit'), _key('entered_by', 'user', 'tender_limit'),
        sa.PrimaryKeyConstraint('id', name='pk_tender_limit'),
        sa.UniqueConstraint('division_id', 'year', 'category', name='uq_tender_limit_division_id_year_category'))
    op.create_table(
        'scheme_declaration',
        sa.Column('id', NUMBER, nullable=False), sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('scheme', _choice('scheme', 'two_receivers', 'reduced'), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False), sa.Column('decided_on', sa.Date(), nullable=False),
        sa.Column('declared_by', NUMBER, nullable=False), sa.Column('declared_at', sa.DateTime(), nullable=False),
        _key('unit_id', 'organisation', 'scheme_declaration'), _key('declared_by', 'user', 'scheme_declaration'),
        sa.PrimaryKeyConstraint('id', name='pk_scheme_declaration'))
    op.create_index('ix_scheme_declaration_unit_id', 'scheme_declaration', ['unit_id'])
    op.create_table(
        'anomaly_handling',
        sa.Column('id', NUMBER, nullable=False), sa.Column('kind', sa.String(length=24), nullable=False),
        sa.Column('key', sa.String(length=120), nullable=False),
        sa.Column('result', _choice('result', 'in_order', 'mended', 'passed_on'), nullable=False),
        sa.Column('note', sa.Text(), nullable=False), sa.Column('handled_by', NUMBER, nullable=False),
        sa.Column('handled_at', sa.DateTime(), nullable=False),
        _key('handled_by', 'user', 'anomaly_handling'), sa.PrimaryKeyConstraint('id', name='pk_anomaly_handling'),
        sa.UniqueConstraint('kind', 'key', name='uq_anomaly_handling_kind_key'))


def _ask_for_what_waits() -> None:
    """Purchases that wait already wait for one approver, as they did when they were placed."""
    connection = op.get_bind()
    step = sa.table('approval_step', *(sa.column(name) for name in (
        'purchase_id', 'round_no', 'step_no', 'role', 'from_fen', 'compared_fen', 'asked_by')),
        sa.column('asked_at', sa.DateTime()))
    now = datetime.now(UTC).replace(tzinfo=None)
    for row in connection.execute(sa.text(
            "SELECT id, total_fen, ordered_by FROM purchase WHERE approval = 'waiting'")).all():
        connection.execute(step.insert().values(
            purchase_id=row.id, round_no=1, step_no=1, role='approver', from_fen=0, compared_fen=row.total_fen,
            asked_by=row.ordered_by, asked_at=now))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
