"""how many rows of an import the county has to look at"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('sheet_import') as table:
        table.add_column(sa.Column('to_county', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False,
                                   server_default='0'))
    with op.batch_alter_table('sheet_import') as table:
        table.alter_column('to_county', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('sheet_import') as table:
        table.drop_column('to_county')
