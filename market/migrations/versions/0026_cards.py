"""connected accounts that were disconnected, and payments found by their account"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('connected_account', sa.Column('disconnected_at', sa.DateTime(), nullable=True))
    op.create_index('ix_card_payment_account_id', 'card_payment', ['account_id'])


def downgrade() -> None:
    op.drop_index('ix_card_payment_account_id', 'card_payment')
    op.drop_column('connected_account', 'disconnected_at')
