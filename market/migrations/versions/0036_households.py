"""cost ratios, monitoring lines, changes of class, who looked at a full name"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
CLASSES = ('stable', 'consolidate', 'safety_net', 'not_lifted', 'unstable', 'marginal', 'sudden_hardship')


def _choice(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        'cost_ratio',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('category', sa.String(length=32), nullable=False),
        sa.Column('points', NUMBER, nullable=False),
        sa.Column('valid_from', NUMBER, nullable=False),
        sa.Column('source', sa.String(length=200), nullable=False),
        sa.Column('set_by', NUMBER, nullable=False),
        sa.Column('set_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('points BETWEEN 0 AND 10000', name=op.f('ck_cost_ratio_points')),
        sa.ForeignKeyConstraint(['set_by'], ['user.id'], name='fk_cost_ratio_set_by'),
        sa.PrimaryKeyConstraint('id', name='pk_cost_ratio')
    )
    op.create_index('ix_cost_ratio_category', 'cost_ratio', ['category', 'valid_from'])
    op.create_table(
        'monitoring_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('division_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('source', sa.String(length=200), nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('set_by', NUMBER, nullable=False),
        sa.Column('set_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_monitoring_line_amount')),
        sa.ForeignKeyConstraint(['division_id'], ['division.id'], name='fk_monitoring_line_division_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_monitoring_line_organisation_id'),
        sa.ForeignKeyConstraint(['set_by'], ['user.id'], name='fk_monitoring_line_set_by'),
        sa.PrimaryKeyConstraint('id', name='pk_monitoring_line')
    )
    op.create_index('ix_monitoring_line_area', 'monitoring_line', ['division_id', 'year'])
    op.create_table(
        'household_class_change',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('before', _choice('before', *CLASSES), nullable=True),
        sa.Column('after', _choice('after', *CLASSES), nullable=False),
        sa.Column('source', sa.String(length=200), nullable=False),
        sa.Column('state', _choice('state', 'set', 'waiting', 'confirmed', 'refused'), nullable=False),
        sa.Column('proposed_by', NUMBER, nullable=False),
        sa.Column('proposed_at', sa.DateTime(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('refusal', sa.String(length=200), nullable=False),
        sa.CheckConstraint('decided_by IS NULL OR decided_by <> proposed_by',
                           name=op.f('ck_household_class_change_second_person')),
        sa.CheckConstraint("(state IN ('confirmed', 'refused')) = (decided_by IS NOT NULL)",
                           name=op.f('ck_household_class_change_decided')),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_household_class_change_decided_by'),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_household_class_change_household_id'),
        sa.ForeignKeyConstraint(['proposed_by'], ['user.id'], name='fk_household_class_change_proposed_by'),
        sa.PrimaryKeyConstraint('id', name='pk_household_class_change')
    )
    op.create_index('ix_household_class_change_household_id', 'household_class_change', ['household_id'])
    op.create_index('ix_household_class_change_state', 'household_class_change', ['state'])
    op.create_index('uq_household_class_change_waiting', 'household_class_change', ['household_id', 'year'],
                    unique=True, sqlite_where=sa.text("state = 'waiting'"),
                    postgresql_where=sa.text("state = 'waiting'"))
    op.create_table(
        'name_reveal',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('revealed_by', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('revealed_at', sa.DateTime(), nullable=False),
        sa.Column('purpose', sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_name_reveal_household_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_name_reveal_organisation_id'),
        sa.ForeignKeyConstraint(['revealed_by'], ['user.id'], name='fk_name_reveal_revealed_by'),
        sa.PrimaryKeyConstraint('id', name='pk_name_reveal')
    )
    op.create_index('ix_name_reveal_household_id', 'name_reveal', ['household_id'])


def downgrade() -> None:
    for name in ('name_reveal', 'household_class_change', 'monitoring_line', 'cost_ratio'):
        op.drop_table(name)
