"""expected lots, names that follow, how goods were made, write-offs"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOVES = ('booked', 'held', 'released', 'packed', 'processed', 'written_off')


def upgrade() -> None:
    with op.batch_alter_table('lot') as table:
        table.add_column(sa.Column('expected_on', sa.Date(), nullable=True))
        table.add_column(sa.Column('closed_at', sa.DateTime(), nullable=True))
    allow_moves(*MOVES, 'arrived', 'closed')
    op.create_table(
        'lot_split',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('grams', NUMBER, nullable=False),
        sa.Column('households', NUMBER, nullable=False),
        sa.Column('split_by', NUMBER, nullable=False),
        sa.Column('split_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_lot_split_lot_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_lot_split_village_id'),
        sa.ForeignKeyConstraint(['split_by'], ['user.id'], name='fk_lot_split_split_by'),
        sa.PrimaryKeyConstraint('id', name='pk_lot_split'),
    )
    op.create_index('ix_lot_split_lot_id', 'lot_split', ['lot_id'])
    op.create_table(
        'lot_making',
        sa.Column('lot_id', NUMBER, autoincrement=False, nullable=False),
        sa.Column('input_grams', NUMBER, nullable=False),
        sa.Column('yield_reason', sa.String(length=200), nullable=False),
        sa.Column('plant_village_id', NUMBER, nullable=True),
        sa.Column('wage_fen', NUMBER, nullable=False),
        sa.CheckConstraint('input_grams > 0', name='ck_lot_making_input'),
        sa.CheckConstraint('wage_fen >= 0 AND (wage_fen = 0 OR plant_village_id IS NOT NULL)',
                           name='ck_lot_making_wage'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_lot_making_lot_id'),
        sa.ForeignKeyConstraint(['plant_village_id'], ['division.id'], name='fk_lot_making_plant_village_id'),
        sa.PrimaryKeyConstraint('lot_id', name='pk_lot_making'),
    )
    op.create_table(
        'lot_write_off',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('reason', sa.Enum('spoiled', 'damaged', 'lost', 'sample', 'other', name='reason',
                                    native_enum=False, create_constraint=True, length=24), nullable=False),
        sa.Column('note', sa.String(length=200), nullable=False),
        sa.Column('state', sa.Enum('waiting', 'confirmed', 'refused', name='state', native_enum=False,
                                   create_constraint=True, length=24), nullable=False),
        sa.Column('proposed_by', NUMBER, nullable=False),
        sa.Column('proposed_at', sa.DateTime(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('milli > 0', name='ck_lot_write_off_milli'),
        sa.CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name='ck_lot_write_off_decided'),
        sa.CheckConstraint('decided_by IS NULL OR decided_by <> proposed_by', name='ck_lot_write_off_second_person'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_lot_write_off_lot_id'),
        sa.ForeignKeyConstraint(['proposed_by'], ['user.id'], name='fk_lot_write_off_proposed_by'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_lot_write_off_decided_by'),
        sa.PrimaryKeyConstraint('id', name='pk_lot_write_off'),
    )
    op.create_index('ix_lot_write_off_lot_id', 'lot_write_off', ['lot_id'])
    with op.batch_alter_table('income_declaration') as table:
        table.add_column(sa.Column('lot_id', NUMBER, nullable=True))
        table.create_foreign_key(op.f('fk_income_declaration_lot_id'), 'lot', ['lot_id'], ['id'])
        table.create_index('ix_income_declaration_lot_id', ['lot_id'])


def downgrade() -> None:
    with op.batch_alter_table('income_declaration') as table:
        table.drop_index('ix_income_declaration_lot_id')
        table.drop_constraint(op.f('fk_income_declaration_lot_id'), type_='foreignkey')
        table.drop_column('lot_id')
    op.drop_index('ix_lot_write_off_lot_id', table_name='lot_write_off')
    op.drop_table('lot_write_off')
    op.drop_table('lot_making')
    op.drop_index('ix_lot_split_lot_id', table_name='lot_split')
    op.drop_table('lot_split')
    allow_moves(*MOVES)
    with op.batch_alter_table('lot') as table:
        table.drop_column('closed_at')
        table.drop_column('expected_on')


def allow_moves(*kinds: str) -> None:
    """The kinds of stock moves. SQLite makes the table anew for it, so what keeps it append-only is said again."""
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('stock_move') as table:
        table.drop_constraint(op.f('ck_stock_move_kind'), type_='check')
        table.create_check_constraint(op.f('ck_stock_move_kind'), f'kind IN ({words})')
    if op.get_bind().dialect.name == 'sqlite':
        for change in ('UPDATE', 'DELETE'):
            op.execute(f'CREATE TRIGGER stock_move_no_{change.lower()} BEFORE {change} ON stock_move '
                       f"BEGIN SELECT RAISE(ABORT, 'stock_move only grows: {change} is refused'); END")
