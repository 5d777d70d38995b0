"""who has been reminded of late payment and of goods that nobody has accepted"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'overdue_reminder',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('matter', sa.String(length=24), nullable=False),
        sa.Column('thing_id', NUMBER, nullable=False),
        sa.Column('occasion', sa.String(length=32), nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name='fk_overdue_reminder_organisation_id'),
        sa.PrimaryKeyConstraint('id', name='pk_overdue_reminder'),
        sa.UniqueConstraint('matter', 'thing_id', 'occasion', name='uq_overdue_reminder_matter_thing_id_occasion')
    )
    op.create_index('ix_overdue_reminder_organisation_id', 'overdue_reminder', ['organisation_id'])


def downgrade() -> None:
    op.drop_table('overdue_reminder')
