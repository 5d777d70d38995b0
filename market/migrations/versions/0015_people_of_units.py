"""leaders and contractors of units; how a purchase came about"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

BEFORE = ('requester', 'approver', 'receiver', 'finance', 'clerk', 'applicant', 'village_officer', 'township_officer',
          'official', 'auditor', 'operator_system', 'operator_security', 'operator_audit', 'manager')
AFTER = (*BEFORE, 'leader', 'contractor')


def upgrade() -> None:
    _roles(AFTER)
    with op.batch_alter_table('purchase') as table:
        table.add_column(sa.Column('source', sa.Enum('cart', 'standing', 'phone', name='source', native_enum=False,
                                                     create_constraint=True, length=24), nullable=False,
                                   server_default='cart'))
        table.add_column(sa.Column('by_contractor', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('purchase') as table:
        table.alter_column('source', server_default=None)
        table.alter_column('by_contractor', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('purchase') as table:
        table.drop_constraint(op.f('ck_purchase_source'), type_='check')
        table.drop_column('by_contractor')
        table.drop_column('source')
    _roles(BEFORE)


def _roles(roles: tuple[str, ...]) -> None:
    """The roles a membership may name."""
    words = ', '.join(f"'{role}'" for role in roles)
    with op.batch_alter_table('membership') as table:
        table.drop_constraint(op.f('ck_membership_role'), type_='check')
        table.create_check_constraint(op.f('ck_membership_role'), f'role IN ({words})')
