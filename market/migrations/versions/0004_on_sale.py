"""papers of goods, recalled lots"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('product') as table:
        table.add_column(sa.Column('papers_until', sa.Date(), nullable=False, server_default='9999-12-31'))
    with op.batch_alter_table('product') as table:
        table.alter_column('papers_until', server_default=None)
    with op.batch_alter_table('lot') as table:
        table.add_column(sa.Column('recalled_at', sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('lot') as table:
        table.drop_column('recalled_at')
    with op.batch_alter_table('product') as table:
        table.drop_column('papers_until')
