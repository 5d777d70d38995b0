"""bank statements tell how many movements went out"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('bank_statement') as batch:
        batch.add_column(sa.Column('out_rows', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False,
                                   server_default='0'))
    with op.batch_alter_table('bank_statement') as batch:
        batch.alter_column('out_rows', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('bank_statement') as batch:
        batch.drop_column('out_rows')
