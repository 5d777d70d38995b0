"""village roll-ups, and history that only grows"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
FIGURES = (
    'accepted_fen', 'accepted_grams', 'certified_fen', 'returned_fen', 'returned_grams', 'allowance_fen',
    'received_fen', 'refunded_fen', 'farm_gate_fen', 'wage_fen', 'land_fen', 'dividend_fen', 'collective_fen',
    'households_paid_fen', 'collective_paid_fen',
)
# rows of these are written once
FIXED = ('ledger_account', 'ledger_block', 'ledger_period', 'journal_entry', 'stock_move')
# what a transfer says; block_no and period are set once, together
SAID = (
    'id', 'digest', 'event', 'source', 'backward', 'debit', 'credit', 'amount_fen', 'business_date', 'posted_at',
    'village_id', 'supplier_id', 'unit_id', 'unit_type', 'method', 'fund_source', 'category', 'certified', 'grams',
    'income_kind', 'linkage_id', 'household_id', 'lot_id', 'order_ref', 'line_ref', 'reverses_id',
)


def upgrade() -> None:
    op.create_table(
        'village_month',
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('period', sa.String(length=7), nullable=False),
        *(sa.Column(name, NUMBER, nullable=False) for name in FIGURES),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_village_month_village_id'),
        sa.PrimaryKeyConstraint('village_id', 'period', name='pk_village_month'),
    )
    op.create_table(
        'village_presence',
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('kind', sa.Enum('order', 'product', 'household', 'supplier', name='kind', native_enum=False,
                                  create_constraint=True, length=24), nullable=False),
        sa.Column('thing', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_village_presence_village_id'),
        sa.PrimaryKeyConstraint('village_id', 'period', 'kind', 'thing', name='pk_village_presence'),
    )
    guard = guard_postgresql if op.get_bind().dialect.name == 'postgresql' else guard_sqlite
    guard()


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table in ('ledger_transfer', *FIXED):
            op.execute(f'DROP TRIGGER {table}_grows ON {table}')
            op.execute(f'DROP TRIGGER {table}_is_not_emptied ON {table}')
        op.execute('DROP FUNCTION refuse_change()')
        op.execute('DROP FUNCTION allow_sealing_only()')
    else:
        for table in ('ledger_transfer', *FIXED):
            op.execute(f'DROP TRIGGER {table}_no_update')
            op.execute(f'DROP TRIGGER {table}_no_delete')
    op.drop_table('village_presence')
    op.drop_table('village_month')


def guard_postgresql() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE FUNCTION allow_sealing_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.block_no IS NULL AND NEW.block_no IS NOT NULL AND NEW.period IS NOT NULL THEN
                OLD.block_no := NEW.block_no;
                OLD.period := NEW.period;
                IF OLD IS NOT DISTINCT FROM NEW THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'ledger_transfer only grows: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$
    """)
    for table in ('ledger_transfer', *FIXED):
        rule = 'allow_sealing_only' if table == 'ledger_transfer' else 'refuse_change'
        op.execute(f'CREATE TRIGGER {table}_grows BEFORE UPDATE OR DELETE ON {table} '
                   f'FOR EACH ROW EXECUTE FUNCTION {rule}()')
        op.execute(f'CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')


def guard_sqlite() -> None:
    """INSERT OR REPLACE deletes first: recursive_triggers, on for every connection of ours, makes that visible."""
    unchanged = ' AND '.join(f'NEW.{name} IS OLD.{name}' for name in SAID)
    sealing = f'OLD.block_no IS NULL AND NEW.block_no IS NOT NULL AND NEW.period IS NOT NULL AND {unchanged}'
    for table in ('ledger_transfer', *FIXED):
        unless = f'WHEN NOT ({sealing}) ' if table == 'ledger_transfer' else ''
        op.execute(f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {unless}'
                   f"BEGIN SELECT RAISE(ABORT, '{table} only grows: UPDATE is refused'); END")
        op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} '
                   f"BEGIN SELECT RAISE(ABORT, '{table} only grows: DELETE is refused'); END")
