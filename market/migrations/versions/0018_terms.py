"""delivery terms and breaks; freight of orders, in the ledger too; substitutes"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
EVENTS = ('accepted', 'attributed', 'received', 'fee', 'returned', 'allowance', 'withdrawn', 'refunded', 'paid_out')
# what a transfer says; block_no and period are set once, together (as in 0002)
SAID = (
    'id', 'digest', 'event', 'source', 'backward', 'debit', 'credit', 'amount_fen', 'business_date', 'posted_at',
    'village_id', 'supplier_id', 'unit_id', 'unit_type', 'method', 'fund_source', 'category', 'certified', 'grams',
    'income_kind', 'linkage_id', 'household_id', 'lot_id', 'order_ref', 'line_ref', 'reverses_id',
)


def upgrade() -> None:
    op.create_table(
        'delivery_terms',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('area_id', NUMBER, nullable=False),
        sa.Column('weekdays', sa.String(length=13), nullable=False),
        sa.Column('windows', sa.String(length=60), nullable=False),
        *(sa.Column(name, NUMBER, nullable=False) for name in (
            'cut_off_hour', 'cut_off_days', 'minimum_fen', 'freight_fen')),
        sa.Column('free_from_fen', NUMBER, nullable=True),
        sa.Column('stated_by', NUMBER, nullable=False),
        sa.Column('stated_at', sa.DateTime(), nullable=False),
        sa.Column('closed_by', NUMBER, nullable=True),
        sa.Column('closed_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('cut_off_hour BETWEEN 1 AND 24 AND cut_off_days BETWEEN 1 AND 14',
                           name='ck_delivery_terms_cut_off'),
        sa.CheckConstraint('minimum_fen >= 0 AND freight_fen >= 0', name='ck_delivery_terms_amounts'),
        sa.CheckConstraint('free_from_fen IS NULL OR (free_from_fen > 0 AND freight_fen > 0)',
                           name='ck_delivery_terms_free_from'),
        sa.CheckConstraint("weekdays <> '' AND windows <> ''", name='ck_delivery_terms_times'),
        sa.CheckConstraint('(closed_at IS NULL) = (closed_by IS NULL)', name='ck_delivery_terms_closed'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_delivery_terms_supplier_id'),
        sa.ForeignKeyConstraint(['area_id'], ['division.id'], name='fk_delivery_terms_area_id'),
        sa.ForeignKeyConstraint(['stated_by'], ['user.id'], name='fk_delivery_terms_stated_by'),
        sa.ForeignKeyConstraint(['closed_by'], ['user.id'], name='fk_delivery_terms_closed_by'),
        sa.PrimaryKeyConstraint('id', name='pk_delivery_terms'),
    )
    op.create_index('ix_delivery_terms_supplier_id', 'delivery_terms', ['supplier_id'])
    op.create_index('uq_delivery_terms_open', 'delivery_terms', ['supplier_id', 'area_id'], unique=True,
                    sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table(
        'delivery_break',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('reason', sa.String(length=100), nullable=False),
        sa.Column('stated_by', NUMBER, nullable=False),
        sa.Column('stated_at', sa.DateTime(), nullable=False),
        sa.Column('ended_by', NUMBER, nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('last_day >= first_day', name='ck_delivery_break_days'),
        sa.CheckConstraint('(ended_at IS NULL) = (ended_by IS NULL)', name='ck_delivery_break_ended'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_delivery_break_supplier_id'),
        sa.ForeignKeyConstraint(['stated_by'], ['user.id'], name='fk_delivery_break_stated_by'),
        sa.ForeignKeyConstraint(['ended_by'], ['user.id'], name='fk_delivery_break_ended_by'),
        sa.PrimaryKeyConstraint('id', name='pk_delivery_break'),
    )
    op.create_index('ix_delivery_break_supplier_id', 'delivery_break', ['supplier_id'])
    _add('order', freight_fen=NUMBER, freight_agreed_fen=NUMBER, minimum_fen=NUMBER, terms_area=sa.Text())
    with op.batch_alter_table('order') as table:
        table.add_column(sa.Column('free_from_fen', NUMBER, nullable=True))
        table.add_column(sa.Column('cut_off_at', sa.DateTime(), nullable=True))
        table.add_column(sa.Column('terms_id', NUMBER, nullable=True))
        table.create_foreign_key('fk_order_terms_id', 'delivery_terms', ['terms_id'], ['id'])
        table.create_check_constraint(op.f('ck_order_freight'),
                                      'freight_fen >= 0 AND freight_fen <= freight_agreed_fen')
    _add('purchase', freight_fen=NUMBER)
    _add('cart_line', substitute_ok=sa.Boolean())
    _add('order_line', substitute_ok=sa.Boolean(), substitute_name=sa.Text(), substitute_name_en=sa.Text())
    with op.batch_alter_table('order_line') as table:
        table.add_column(sa.Column('substitute_product_id', NUMBER, nullable=True))
        table.create_foreign_key('fk_order_line_substitute_product_id', 'product', ['substitute_product_id'],
                                 ['id'])
        table.create_check_constraint(op.f('ck_order_line_substitute'),
                                      'substitute_product_id IS NULL OR substitute_ok')
    _allow_events(*EVENTS, 'freight')


def downgrade() -> None:
    _allow_events(*EVENTS)
    with op.batch_alter_table('order_line') as table:
        table.drop_constraint(op.f('ck_order_line_substitute'), type_='check')
        table.drop_constraint('fk_order_line_substitute_product_id', type_='foreignkey')
        for name in ('substitute_product_id', 'substitute_name_en', 'substitute_name', 'substitute_ok'):
            table.drop_column(name)
    with op.batch_alter_table('cart_line') as table:
        table.drop_column('substitute_ok')
    with op.batch_alter_table('purchase') as table:
        table.drop_column('freight_fen')
    with op.batch_alter_table('order') as table:
        table.drop_constraint(op.f('ck_order_freight'), type_='check')
        table.drop_constraint('fk_order_terms_id', type_='foreignkey')
        for name in ('terms_id', 'cut_off_at', 'free_from_fen', 'terms_area', 'minimum_fen', 'freight_agreed_fen',
                     'freight_fen'):
            table.drop_column(name)
    op.drop_table('delivery_break')
    op.drop_table('delivery_terms')


def _add(name: str, **columns: sa.types.TypeEngine) -> None:
    """Columns that are never empty: 0, false or '' for the rows that are there."""
    nothing = {sa.Boolean: sa.false(), sa.Text: ''}
    with op.batch_alter_table(name) as table:
        for column, kind in columns.items():
            table.add_column(sa.Column(column, kind, nullable=False, server_default=nothing.get(type(kind), '0')))
    with op.batch_alter_table(name) as table:
        for column in columns:
            table.alter_column(column, server_default=None)


def _allow_events(*events: str) -> None:
    """The ledger's events. SQLite makes the table anew for it, so what keeps it append-only is said again."""
    words = ', '.join(f"'{event}'" for event in events)
    with op.batch_alter_table('ledger_transfer') as table:
        table.drop_constraint(op.f('ck_ledger_transfer_event'), type_='check')
        table.create_check_constraint(op.f('ck_ledger_transfer_event'), f'event IN ({words})')
    if op.get_bind().dialect.name == 'sqlite':
        unchanged = ' AND '.join(f'NEW.{name} IS OLD.{name}' for name in SAID)
        sealing = f'OLD.block_no IS NULL AND NEW.block_no IS NOT NULL AND NEW.period IS NOT NULL AND {unchanged}'
        op.execute(f'CREATE TRIGGER ledger_transfer_no_update BEFORE UPDATE ON ledger_transfer WHEN NOT ({sealing}) '
                   "BEGIN SELECT RAISE(ABORT, 'ledger_transfer only grows: UPDATE is refused'); END")
        op.execute('CREATE TRIGGER ledger_transfer_no_delete BEFORE DELETE ON ledger_transfer '
                   "BEGIN SELECT RAISE(ABORT, 'ledger_transfer only grows: DELETE is refused'); END")
