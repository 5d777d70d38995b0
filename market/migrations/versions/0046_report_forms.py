"""forms of the province: uploaded empty, their headings mapped, filled from reports"""

import sqlalchemy as sa
from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
IN_USE = sa.text('version > 0 AND put_away_at IS NULL')


def upgrade() -> None:
    op.create_table(
        'report_form',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('name', sa.String(length=80), nullable=False),
        sa.Column('version', NUMBER, nullable=False),
        sa.Column('created_by', NUMBER, nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('put_away_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('version >= 0', name=op.f('ck_report_form_version')),
        sa.ForeignKeyConstraint(['created_by'], ['user.id'], name='fk_report_form_created_by'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_report_form_organisation_id'),
        sa.PrimaryKeyConstraint('id', name='pk_report_form')
    )
    op.create_index('ix_report_form_organisation_id', 'report_form', ['organisation_id', 'id'])
    op.create_index('uq_report_form_name', 'report_form', ['organisation_id', 'name'], unique=True,
                    sqlite_where=IN_USE, postgresql_where=IN_USE)
    op.create_table(
        'report_form_version',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('form_id', NUMBER, nullable=False),
        sa.Column('number', NUMBER, nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.Column('report', sa.String(length=60), nullable=False),
        sa.Column('shape', sa.JSON(), nullable=False),
        sa.Column('lines', sa.JSON(), nullable=False),
        sa.Column('compare', sa.JSON(), nullable=False),
        sa.Column('uploaded_by', NUMBER, nullable=False),
        sa.Column('uploaded_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('number > 0', name=op.f('ck_report_form_version_number')),
        sa.CheckConstraint('(confirmed_at IS NULL) = (confirmed_by IS NULL)',
                           name=op.f('ck_report_form_version_confirmed')),
        sa.ForeignKeyConstraint(['confirmed_by'], ['user.id'], name='fk_report_form_version_confirmed_by'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_report_form_version_file_id'),
        sa.ForeignKeyConstraint(['form_id'], ['report_form.id'], name='fk_report_form_version_form_id'),
        sa.ForeignKeyConstraint(['uploaded_by'], ['user.id'], name='fk_report_form_version_uploaded_by'),
        sa.PrimaryKeyConstraint('id', name='pk_report_form_version'),
        sa.UniqueConstraint('form_id', 'number', name='uq_report_form_version_form_id_number')
    )


def downgrade() -> None:
    op.drop_table('report_form_version')
    op.drop_table('report_form')
