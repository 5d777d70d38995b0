"""reports asked for as files; versions of open data"""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
UNFINISHED = sa.text("state IN ('queued', 'making')")


def upgrade() -> None:
    op.create_table(
        'report_file',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('subject', sa.String(length=64), nullable=False),
        sa.Column('report', sa.String(length=60), nullable=False),
        sa.Column('figure', sa.String(length=40), nullable=False),
        sa.Column('asked', sa.JSON(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('period', sa.String(length=24), nullable=False),
        sa.Column('kind', sa.Enum('csv', 'xlsx', name='kind', native_enum=False, create_constraint=True, length=24),
                  nullable=False),
        sa.Column('language', sa.String(length=2), nullable=False),
        sa.Column('sees_all', sa.Boolean(), nullable=False),
        sa.Column('state', sa.Enum('queued', 'making', 'done', 'failed', 'expired', 'cancelled', name='state',
                                   native_enum=False, create_constraint=True, length=24), nullable=False),
        sa.Column('done', NUMBER, nullable=False),
        sa.Column('whole', NUMBER, nullable=False),
        sa.Column('maker', sa.String(length=32), nullable=True),
        sa.Column('told_at', sa.DateTime(), nullable=True),
        sa.Column('tries', NUMBER, nullable=False),
        sa.Column('finished_at', sa.DateTime(), nullable=True),
        sa.Column('expires_at', sa.DateTime(), nullable=True),
        sa.Column('file_name', sa.String(length=48), nullable=True),
        sa.Column('size_bytes', NUMBER, nullable=True),
        sa.Column('made_at', sa.DateTime(), nullable=True),
        sa.Column('mark', sa.String(length=120), nullable=True),
        sa.Column('name', sa.String(length=160), nullable=True),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.Column('why', sa.Text(), nullable=True),
        sa.CheckConstraint('done >= 0 AND whole >= 0', name=op.f('ck_report_file_progress')),
        sa.CheckConstraint("state <> 'done' OR (file_name IS NOT NULL AND sha256 IS NOT NULL)",
                           name=op.f('ck_report_file_made')),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_report_file_asked_by'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_report_file_organisation_id'),
        sa.PrimaryKeyConstraint('id', name='pk_report_file')
    )
    op.create_index('ix_report_file_asked_by', 'report_file', ['asked_by'])
    op.create_index('ix_report_file_state', 'report_file', ['state', 'id'])
    op.create_index('uq_report_file_running', 'report_file', ['asked_by', 'subject'], unique=True,
                    sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    op.create_table(
        'open_data_entry',
        sa.Column('id', NUMBER, autoincrement=False, nullable=False),
        sa.Column('data_set', sa.String(length=40), nullable=False),
        sa.Column('month', sa.String(length=7), nullable=False),
        sa.Column('version', NUMBER, nullable=False),
        sa.Column('closing', NUMBER, nullable=False),
        sa.Column('published_at', sa.DateTime(), nullable=False),
        sa.Column('looked_at', sa.DateTime(), nullable=False),
        sa.Column('csv_sha256', sa.String(length=64), nullable=False),
        sa.Column('csv_bytes', NUMBER, nullable=False),
        sa.Column('json_sha256', sa.String(length=64), nullable=False),
        sa.Column('json_bytes', NUMBER, nullable=False),
        sa.CheckConstraint('version > 0 AND closing >= 0', name=op.f('ck_open_data_entry_numbers')),
        sa.PrimaryKeyConstraint('id', name='pk_open_data_entry'),
        sa.UniqueConstraint('data_set', 'month', 'version', name='uq_open_data_entry_data_set_month_version')
    )
    op.create_index('ix_open_data_entry_month', 'open_data_entry', ['month', 'data_set'])


def downgrade() -> None:
    op.drop_table('open_data_entry')
    op.drop_table('report_file')
