"""members' capital, yearly surplus returns"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'member_capital',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('capital_fen', NUMBER, nullable=False),
        sa.Column('set_by', NUMBER, nullable=False),
        sa.Column('set_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('capital_fen >= 0', name=op.f('ck_member_capital_capital')),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_member_capital_supplier_id'),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_member_capital_household_id'),
        sa.ForeignKeyConstraint(['set_by'], ['user.id'], name='fk_member_capital_set_by'),
        sa.PrimaryKeyConstraint('id', name='pk_member_capital'),
    )
    op.create_index('ix_member_capital_newest', 'member_capital', ['supplier_id', 'household_id', 'id'])
    op.create_table(
        'surplus_return',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('measure', sa.Enum('amount', 'grams', name='measure', native_enum=False, create_constraint=True,
                                     length=24), nullable=False),
        sa.Column('surplus_fen', NUMBER, nullable=False),
        sa.Column('reserve_points', NUMBER, nullable=False),
        sa.Column('return_points', NUMBER, nullable=False),
        sa.Column('reserve_fen', NUMBER, nullable=False),
        sa.Column('by_volume_fen', NUMBER, nullable=False),
        sa.Column('by_capital_fen', NUMBER, nullable=False),
        sa.Column('other_fen', NUMBER, nullable=False),
        sa.Column('drawn_by', NUMBER, nullable=False),
        sa.Column('drawn_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.Column('discarded_by', NUMBER, nullable=True),
        sa.Column('discarded_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('first_day <= last_day AND surplus_fen > 0', name=op.f('ck_surplus_return_period')),
        sa.CheckConstraint('reserve_points BETWEEN 0 AND 10000 AND return_points BETWEEN 6000 AND 10000',
                           name=op.f('ck_surplus_return_points')),
        sa.CheckConstraint('reserve_fen + by_volume_fen + by_capital_fen + other_fen = surplus_fen',
                           name=op.f('ck_surplus_return_whole')),
        sa.CheckConstraint('by_volume_fen * 10000 >= (surplus_fen - reserve_fen) * return_points',
                           name=op.f('ck_surplus_return_least')),
        sa.CheckConstraint('(confirmed_by IS NULL) = (confirmed_at IS NULL) AND '
                           '(confirmed_by IS NULL OR confirmed_by <> drawn_by)',
                           name=op.f('ck_surplus_return_second_person')),
        sa.CheckConstraint('confirmed_at IS NULL OR discarded_at IS NULL', name=op.f('ck_surplus_return_one_end')),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_surplus_return_supplier_id'),
        sa.ForeignKeyConstraint(['drawn_by'], ['user.id'], name='fk_surplus_return_drawn_by'),
        sa.ForeignKeyConstraint(['confirmed_by'], ['user.id'], name='fk_surplus_return_confirmed_by'),
        sa.ForeignKeyConstraint(['discarded_by'], ['user.id'], name='fk_surplus_return_discarded_by'),
        sa.PrimaryKeyConstraint('id', name='pk_surplus_return'),
    )
    op.create_index('ix_surplus_return_supplier', 'surplus_return', ['supplier_id', 'id'])
    op.create_table(
        'surplus_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('return_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('member_no', sa.String(length=16), nullable=False),
        sa.Column('head_name', sa.Text(), nullable=False),
        sa.Column('village', sa.Text(), nullable=False),
        sa.Column('grams', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('capital_fen', NUMBER, nullable=False),
        sa.Column('volume_fen', NUMBER, nullable=False),
        sa.Column('share_fen', NUMBER, nullable=False),
        sa.CheckConstraint(
            'grams >= 0 AND amount_fen >= 0 AND capital_fen >= 0 AND volume_fen >= 0 AND share_fen >= 0',
            name=op.f('ck_surplus_line_amounts')),
        sa.ForeignKeyConstraint(['return_id'], ['surplus_return.id'], name='fk_surplus_line_return_id'),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_surplus_line_household_id'),
        sa.PrimaryKeyConstraint('id', name='pk_surplus_line'),
    )
    op.create_index('ix_surplus_line_return_id', 'surplus_line', ['return_id'])


def downgrade() -> None:
    for table in ('surplus_line', 'surplus_return', 'member_capital'):
        op.drop_table(table)
