"""what a refund is for, its slip and its answer; returned goods that go back into their lots"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0028'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOVES = ('booked', 'held', 'released', 'packed', 'processed', 'written_off', 'arrived', 'closed')


def upgrade() -> None:
    op.create_table(
        'refund_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('refund_id', NUMBER, nullable=False),
        sa.Column('order_line_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0 AND amount_fen >= 0', name=op.f('ck_refund_line_amounts')),
        sa.ForeignKeyConstraint(['refund_id'], ['refund.id'], name='fk_refund_line_refund_id'),
        sa.ForeignKeyConstraint(['order_line_id'], ['order_line.id'], name='fk_refund_line_order_line_id'),
        sa.PrimaryKeyConstraint('id', name='pk_refund_line'),
        sa.UniqueConstraint('refund_id', 'order_line_id', name='uq_refund_line_refund_id_order_line_id')
    )
    op.create_index('ix_refund_line_order_line_id', 'refund_line', ['order_line_id'])
    with op.batch_alter_table('refund') as table:
        table.add_column(sa.Column('answer', sa.Text(), nullable=False, server_default=''))
        table.add_column(sa.Column('voucher_id', NUMBER, nullable=True))
        table.add_column(sa.Column('tried_at', sa.DateTime(), nullable=True))
        table.create_foreign_key('fk_refund_voucher_id', 'stored_file', ['voucher_id'], ['id'])
    with op.batch_alter_table('refund') as table:
        table.alter_column('answer', server_default=None)
    with op.batch_alter_table('goods_return') as table:
        table.add_column(sa.Column('restocked', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('goods_return') as table:
        table.alter_column('restocked', server_default=None)
    _allow_moves(*MOVES, 'returned')


def downgrade() -> None:
    _allow_moves(*MOVES)
    with op.batch_alter_table('goods_return') as table:
        table.drop_column('restocked')
    with op.batch_alter_table('refund') as table:
        table.drop_constraint('fk_refund_voucher_id', type_='foreignkey')
        for name in ('tried_at', 'voucher_id', 'answer'):
            table.drop_column(name)
    op.drop_index('ix_refund_line_order_line_id', table_name='refund_line')
    op.drop_table('refund_line')


def _allow_moves(*kinds: str) -> None:
    """The kinds of stock moves. SQLite makes the table anew for it, so what keeps it append-only is said again."""
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('stock_move') as table:
        table.drop_constraint(op.f('ck_stock_move_kind'), type_='check')
        table.create_check_constraint(op.f('ck_stock_move_kind'), f'kind IN ({words})')
    if op.get_bind().dialect.name == 'sqlite':
        for change in ('UPDATE', 'DELETE'):
            op.execute(f'CREATE TRIGGER stock_move_no_{change.lower()} BEFORE {change} ON stock_move '
                       f"BEGIN SELECT RAISE(ABORT, 'stock_move only grows: {change} is refused'); END")
