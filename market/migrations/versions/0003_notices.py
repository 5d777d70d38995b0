"""news for organisations"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'notice',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('kind', sa.String(length=48), nullable=False),
        sa.Column('thing_id', NUMBER, nullable=False),
        sa.Column('details', sa.JSON(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('read_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_notice_organisation_id'),
        sa.PrimaryKeyConstraint('id', name='pk_notice'),
        sa.UniqueConstraint('organisation_id', 'kind', 'thing_id', name='uq_notice_organisation_id_kind_thing_id'),
    )
    op.create_index('ix_notice_newest', 'notice', ['organisation_id', 'id'])


def downgrade() -> None:
    op.drop_index('ix_notice_newest', table_name='notice')
    op.drop_table('notice')
