"""standing orders and phone orders"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TABLES = ('standing_plan', 'standing_line', 'standing_quantity', 'standing_run', 'standing_run_line', 'phone_order',
          'phone_order_line')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        'standing_plan',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('budget_unit_id', NUMBER, nullable=False),
        sa.Column('owner_id', NUMBER, nullable=False),
        sa.Column('name', sa.String(length=80), nullable=False),
        sa.Column('delivery_point_id', NUMBER, nullable=False),
        sa.Column('delivery_window', _choice('delivery_window', 'dawn', 'morning', 'noon', 'afternoon'),
                  nullable=False),
        sa.Column('fund_source', _choice('fund_source', 'canteen', 'union', 'staff'), nullable=False),
        sa.Column('days_ahead', NUMBER, nullable=False),
        sa.Column('cut_off_hour', NUMBER, nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('skip_holidays', sa.Boolean(), nullable=False),
        sa.Column('year_limit_fen', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'draft', 'waiting', 'active', 'paused', 'ended'), nullable=False),
        sa.Column('approved_by', NUMBER, nullable=True),
        sa.Column('approved_at', sa.DateTime(), nullable=True),
        sa.Column('approved_hash', sa.String(length=64), nullable=True),
        sa.Column('next_day', sa.Date(), nullable=True),
        sa.Column('next_due_at', sa.DateTime(), nullable=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint("(next_day IS NULL) = (next_due_at IS NULL) AND (state = 'active' OR next_day IS NULL)",
                           name=op.f('ck_standing_plan_next')),
        sa.CheckConstraint('(approved_by IS NULL) = (approved_hash IS NULL)', name=op.f('ck_standing_plan_approved')),
        sa.CheckConstraint('approved_by IS NULL OR approved_by <> owner_id',
                           name=op.f('ck_standing_plan_second_person')),
        sa.CheckConstraint('days_ahead BETWEEN 1 AND 14 AND cut_off_hour BETWEEN 0 AND 23',
                           name=op.f('ck_standing_plan_cut_off')),
        sa.CheckConstraint('first_day <= last_day', name=op.f('ck_standing_plan_days')),
        sa.CheckConstraint('year_limit_fen >= 0', name=op.f('ck_standing_plan_year')),
        sa.ForeignKeyConstraint(['approved_by'], ['user.id'], name='fk_standing_plan_approved_by'),
        sa.ForeignKeyConstraint(['budget_unit_id'], ['organisation.id'], name='fk_standing_plan_budget_unit_id'),
        sa.ForeignKeyConstraint(['delivery_point_id'], ['delivery_point.id'],
                                name='fk_standing_plan_delivery_point_id'),
        sa.ForeignKeyConstraint(['owner_id'], ['user.id'], name='fk_standing_plan_owner_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_standing_plan_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_standing_plan'),
    )
    op.create_index('ix_standing_plan_due', 'standing_plan', ['next_due_at'],
        sqlite_where=sa.text('next_due_at IS NOT NULL'), postgresql_where=sa.text('next_due_at IS NOT NULL'))
    op.create_index('ix_standing_plan_unit', 'standing_plan', ['unit_id', 'id'])
    op.create_table(
        'phone_order',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('delivery_day', sa.Date(), nullable=False),
        sa.Column('delivery_window', _choice('delivery_window', 'dawn', 'morning', 'noon', 'afternoon'),
                  nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('nonce', sa.String(length=64), nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('typed_by', NUMBER, nullable=False),
        sa.Column('typed_at', sa.DateTime(), nullable=False),
        sa.Column('expires_at', sa.DateTime(), nullable=False),
        sa.Column('state', _choice('state', 'open', 'confirmed', 'declined', 'withdrawn', 'expired'), nullable=False),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('purchase_id', NUMBER, nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.CheckConstraint("(state = 'confirmed') = (purchase_id IS NOT NULL)", name=op.f('ck_phone_order_confirmed')),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> typed_by',
                           name=op.f('ck_phone_order_second_person')),
        sa.ForeignKeyConstraint(['confirmed_by'], ['user.id'], name='fk_phone_order_confirmed_by'),
        sa.ForeignKeyConstraint(['purchase_id'], ['purchase.id'], name='fk_phone_order_purchase_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_phone_order_supplier_id'),
        sa.ForeignKeyConstraint(['typed_by'], ['user.id'], name='fk_phone_order_typed_by'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_phone_order_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_phone_order'),
        sa.UniqueConstraint('purchase_id', name='uq_phone_order_purchase_id'),
        sa.UniqueConstraint('token_hash', name='uq_phone_order_token_hash'),
    )
    op.create_index('ix_phone_order_open', 'phone_order', ['expires_at'], sqlite_where=sa.text("state = 'open'"),
                    postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_phone_order_supplier', 'phone_order', ['supplier_id', 'id'])
    op.create_index('ix_phone_order_unit', 'phone_order', ['unit_id', 'state', 'id'])
    op.create_table(
        'standing_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('plan_id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('ceiling_fen', NUMBER, nullable=False),
        sa.Column('substitutes', sa.Boolean(), nullable=False),
        sa.Column('asked_fen', NUMBER, nullable=True),
        sa.Column('once_fen', NUMBER, nullable=True),
        sa.CheckConstraint('ceiling_fen > 0 AND once_fen > 0 AND asked_fen > 0', name=op.f('ck_standing_line_prices')),
        sa.ForeignKeyConstraint(['plan_id'], ['standing_plan.id'], name='fk_standing_line_plan_id'),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_standing_line_product_id'),
        sa.PrimaryKeyConstraint('id', name='pk_standing_line'),
        sa.UniqueConstraint('plan_id', 'product_id', name='uq_standing_line_plan_id_product_id'),
    )
    op.create_table(
        'standing_run',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('plan_id', NUMBER, nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('outcome', _choice('outcome', 'placed', 'nothing', 'skipped', 'failed', 'missed'), nullable=False),
        sa.Column('made_at', sa.DateTime(), nullable=False),
        sa.Column('purchase_id', NUMBER, nullable=True),
        sa.Column('total_fen', NUMBER, nullable=False),
        sa.Column('refusal_zh', sa.Text(), nullable=False),
        sa.Column('refusal_en', sa.Text(), nullable=False),
        sa.CheckConstraint("(outcome = 'placed') = (purchase_id IS NOT NULL)", name=op.f('ck_standing_run_placed')),
        sa.ForeignKeyConstraint(['plan_id'], ['standing_plan.id'], name='fk_standing_run_plan_id'),
        sa.ForeignKeyConstraint(['purchase_id'], ['purchase.id'], name='fk_standing_run_purchase_id'),
        sa.PrimaryKeyConstraint('id', name='pk_standing_run'),
        sa.UniqueConstraint('plan_id', 'day', name='uq_standing_run_plan_id_day'),
        sa.UniqueConstraint('purchase_id', name='uq_standing_run_purchase_id'),
    )
    op.create_table(
        'phone_order_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('phone_order_id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('price_fen', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0 AND price_fen > 0', name=op.f('ck_phone_order_line_amounts')),
        sa.ForeignKeyConstraint(['phone_order_id'], ['phone_order.id'], name='fk_phone_order_line_phone_order_id'),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_phone_order_line_product_id'),
        sa.PrimaryKeyConstraint('id', name='pk_phone_order_line'),
        sa.UniqueConstraint('phone_order_id', 'product_id', name='uq_phone_order_line_phone_order_id_product_id'),
    )
    op.create_table(
        'standing_quantity',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('line_id', NUMBER, nullable=False),
        sa.Column('weekday', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0 AND weekday BETWEEN 0 AND 6', name=op.f('ck_standing_quantity_quantity')),
        sa.ForeignKeyConstraint(['line_id'], ['standing_line.id'], name='fk_standing_quantity_line_id',
            ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='pk_standing_quantity'),
        sa.UniqueConstraint('line_id', 'weekday', name='uq_standing_quantity_line_id_weekday'),
    )
    op.create_table(
        'standing_run_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('run_id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('outcome', _choice('outcome', 'ordered', 'paused', 'short'), nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('price_fen', NUMBER, nullable=True),
        sa.Column('ceiling_fen', NUMBER, nullable=False),
        sa.Column('reason_zh', sa.Text(), nullable=False),
        sa.Column('reason_en', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_standing_run_line_product_id'),
        sa.ForeignKeyConstraint(['run_id'], ['standing_run.id'], name='fk_standing_run_line_run_id'),
        sa.PrimaryKeyConstraint('id', name='pk_standing_run_line'),
        sa.UniqueConstraint('run_id', 'product_id', name='uq_standing_run_line_run_id_product_id'),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
