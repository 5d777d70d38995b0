"""capacity per village, product and season"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'season_capacity',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('approved_grams', NUMBER, nullable=False),
        sa.Column('ceiling_grams', NUMBER, nullable=False),
        sa.Column('sold_grams', NUMBER, nullable=False),
        sa.CheckConstraint('first_day <= last_day', name=op.f('ck_season_capacity_days')),
        sa.CheckConstraint('approved_grams >= 0 AND approved_grams <= ceiling_grams',
                           name=op.f('ck_season_capacity_approved')),
        sa.CheckConstraint('sold_grams >= 0 AND (approved_grams = 0 OR sold_grams <= ceiling_grams)',
                           name=op.f('ck_season_capacity_sold')),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_season_capacity_product_id'),
        sa.PrimaryKeyConstraint('id', name='pk_season_capacity'),
        sa.UniqueConstraint('product_id', 'first_day', name='uq_season_capacity_product_id_first_day'),
    )
    op.create_table(
        'village_capacity',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('season_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('approved_grams', NUMBER, nullable=False),
        sa.Column('ceiling_grams', NUMBER, nullable=False),
        sa.Column('booked_grams', NUMBER, nullable=False),
        sa.CheckConstraint('approved_grams >= 0 AND approved_grams <= ceiling_grams',
                           name=op.f('ck_village_capacity_approved')),
        sa.CheckConstraint('booked_grams >= 0 AND (approved_grams = 0 OR booked_grams <= ceiling_grams)',
                           name=op.f('ck_village_capacity_booked')),
        sa.ForeignKeyConstraint(['season_id'], ['season_capacity.id'], name='fk_village_capacity_season_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_village_capacity_village_id'),
        sa.PrimaryKeyConstraint('id', name='pk_village_capacity'),
        sa.UniqueConstraint('season_id', 'village_id', name='uq_village_capacity_season_id_village_id'),
    )
    op.create_index('ix_village_capacity_village_id', 'village_capacity', ['village_id'])
    op.create_table(
        'capacity_request',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('village_capacity_id', NUMBER, nullable=False),
        sa.Column('kind', sa.Enum('declared', 'raise', name='kind', native_enum=False, create_constraint=True,
                                  length=24), nullable=False),
        sa.Column('asked_grams', NUMBER, nullable=False),
        sa.Column('area_mu_milli', NUMBER, nullable=True),
        sa.Column('yield_grams_per_mu', NUMBER, nullable=True),
        sa.Column('basis', sa.Text(), nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('decision', sa.Enum('approved', 'refused', name='decision', native_enum=False,
                                      create_constraint=True, length=24), nullable=True),
        sa.Column('granted_grams', NUMBER, nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('asked_grams > 0 AND (area_mu_milli IS NULL OR area_mu_milli > 0)',
                           name=op.f('ck_capacity_request_asked')),
        sa.CheckConstraint(
            '(decision IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)',
            name=op.f('ck_capacity_request_decided')),
        sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_capacity_request_second_person')),
        sa.CheckConstraint('granted_grams >= 0 AND granted_grams <= asked_grams', name=op.f('ck_capacity_request_granted')),
        sa.ForeignKeyConstraint(['village_capacity_id'], ['village_capacity.id'],
                                name='fk_capacity_request_village_capacity_id'),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_capacity_request_asked_by'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_capacity_request_decided_by'),
        sa.PrimaryKeyConstraint('id', name='pk_capacity_request'),
    )
    op.create_index('ix_capacity_request_village_capacity_id', 'capacity_request', ['village_capacity_id'])
    op.create_index('uq_capacity_request_open', 'capacity_request', ['village_capacity_id'], unique=True,
                    sqlite_where=sa.text('decided_at IS NULL'), postgresql_where=sa.text('decided_at IS NULL'))
    op.create_table(
        'capacity_photo',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('request_id', NUMBER, nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['request_id'], ['capacity_request.id'], name='fk_capacity_photo_request_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_capacity_photo_file_id'),
        sa.PrimaryKeyConstraint('id', name='pk_capacity_photo'),
    )
    op.create_index('ix_capacity_photo_request_id', 'capacity_photo', ['request_id'])


def downgrade() -> None:
    for table in ('capacity_photo', 'capacity_request', 'village_capacity', 'season_capacity'):
        op.drop_table(table)
