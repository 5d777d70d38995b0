"""what a person keeps of reports: columns, filters, favourites"""

import sqlalchemy as sa
from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'report_wish',
        sa.Column('user_id', NUMBER, nullable=False),
        sa.Column('report', sa.String(length=60), nullable=False),
        sa.Column('columns', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('filters', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('starred', sa.Boolean(), nullable=False),
        sa.Column('changed_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['user.id'], name='fk_report_wish_user_id'),
        sa.PrimaryKeyConstraint('user_id', 'report', name='pk_report_wish')
    )


def downgrade() -> None:
    op.drop_table('report_wish')
