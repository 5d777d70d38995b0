"""evidence packages, samples drawn"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
UNFINISHED = sa.text("state IN ('queued', 'making')")


def upgrade() -> None:
    op.create_table(
        'sample_draw',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('drawn_by', NUMBER, nullable=False),
        sa.Column('drawn_at', sa.DateTime(), nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('area_key', sa.String(length=40), nullable=False),
        sa.Column('area', sa.Text(), nullable=False),
        sa.Column('county_id', NUMBER, nullable=True),
        sa.Column('township_id', NUMBER, nullable=True),
        sa.Column('village_ids', sa.JSON(), nullable=True),
        sa.Column('nth', NUMBER, nullable=False),
        sa.Column('seed', sa.String(length=64), nullable=False),
        sa.Column('head_number', NUMBER, nullable=False),
        sa.Column('head_hash', sa.String(length=64), nullable=False),
        sa.Column('population', NUMBER, nullable=False),
        sa.Column('population_sha256', sa.String(length=64), nullable=False),
        sa.Column('wanted', NUMBER, nullable=False),
        sa.Column('numbers', sa.JSON(), nullable=False),
        sa.CheckConstraint('wanted > 0 AND population >= 0 AND nth > 0', name=op.f('ck_sample_draw_figures')),
        sa.ForeignKeyConstraint(['county_id'], ['division.id'], name='fk_sample_draw_county_id'),
        sa.ForeignKeyConstraint(['drawn_by'], ['user.id'], name='fk_sample_draw_drawn_by'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_sample_draw_organisation_id'),
        sa.ForeignKeyConstraint(['township_id'], ['division.id'], name='fk_sample_draw_township_id'),
        sa.PrimaryKeyConstraint('id', name='pk_sample_draw'),
        sa.UniqueConstraint('area_key', 'year', 'nth', name='uq_sample_draw_area_key_year_nth')
    )
    op.create_index('ix_sample_draw_organisation_id', 'sample_draw', ['organisation_id'])
    op.create_table(
        'evidence_package',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('subject', sa.String(length=60), nullable=False),
        sa.Column('village_id', NUMBER, nullable=True),
        sa.Column('draw_id', NUMBER, nullable=True),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('with_names', sa.Boolean(), nullable=False),
        sa.Column('state', sa.Enum('queued', 'making', 'done', 'failed', 'expired', name='state', native_enum=False,
                                   create_constraint=True, length=24), nullable=False),
        sa.Column('done', NUMBER, nullable=False),
        sa.Column('whole', NUMBER, nullable=False),
        sa.Column('maker', sa.String(length=32), nullable=True),
        sa.Column('told_at', sa.DateTime(), nullable=True),
        sa.Column('tries', NUMBER, nullable=False),
        sa.Column('finished_at', sa.DateTime(), nullable=True),
        sa.Column('expires_at', sa.DateTime(), nullable=True),
        sa.Column('file_name', sa.String(length=48), nullable=True),
        sa.Column('size_bytes', NUMBER, nullable=True),
        sa.Column('zip_sha256', sa.String(length=64), nullable=True),
        sa.Column('manifest_sha256', sa.String(length=64), nullable=True),
        sa.Column('figures', sa.JSON(), nullable=True),
        sa.CheckConstraint('(village_id IS NULL) <> (draw_id IS NULL)', name=op.f('ck_evidence_package_subject')),
        sa.CheckConstraint('0 <= done AND done <= whole', name=op.f('ck_evidence_package_progress')),
        sa.CheckConstraint("state <> 'done' OR (file_name IS NOT NULL AND manifest_sha256 IS NOT NULL)",
                           name=op.f('ck_evidence_package_made')),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_evidence_package_asked_by'),
        sa.ForeignKeyConstraint(['draw_id'], ['sample_draw.id'], name='fk_evidence_package_draw_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_evidence_package_organisation_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_evidence_package_village_id'),
        sa.PrimaryKeyConstraint('id', name='pk_evidence_package')
    )
    op.create_index('ix_evidence_package_asked_by', 'evidence_package', ['asked_by'])
    op.create_index('ix_evidence_package_state', 'evidence_package', ['state', 'id'])
    op.create_index('uq_evidence_package_running', 'evidence_package', ['asked_by', 'subject'], unique=True,
                    sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)


def downgrade() -> None:
    op.drop_table('evidence_package')
    op.drop_table('sample_draw')
