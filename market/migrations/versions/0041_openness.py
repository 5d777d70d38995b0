"""costs that co-operatives declare beside the farmers' share; units that agreed to be named"""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'supplier_cost',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('category', sa.String(length=32), nullable=False),
        sa.Column('valid_from', sa.String(length=7), nullable=False),
        sa.Column('packing_points', NUMBER, nullable=False),
        sa.Column('transport_points', NUMBER, nullable=False),
        sa.Column('loss_points', NUMBER, nullable=False),
        sa.Column('share_points', NUMBER, nullable=True),
        sa.Column('evidence_id', NUMBER, nullable=True),
        sa.Column('entered_by', NUMBER, nullable=False),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('packing_points >= 0 AND transport_points >= 0 AND loss_points >= 0',
                           name='ck_supplier_cost_no_less'),
        sa.CheckConstraint('packing_points + transport_points + loss_points + coalesce(share_points, 0) <= 10000',
                           name='ck_supplier_cost_at_most_all'),
        sa.CheckConstraint('share_points >= 0', name='ck_supplier_cost_share'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_supplier_cost_supplier_id'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_supplier_cost_evidence_id'),
        sa.ForeignKeyConstraint(['entered_by'], ['user.id'], name='fk_supplier_cost_entered_by'),
        sa.PrimaryKeyConstraint('id', name='pk_supplier_cost'),
        sa.UniqueConstraint('supplier_id', 'category', 'valid_from',
                            name='uq_supplier_cost_supplier_id_category_valid_from')
    )
    op.create_table(
        'named_unit',
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('agreed_by', NUMBER, nullable=False),
        sa.Column('agreed_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_named_unit_unit_id'),
        sa.ForeignKeyConstraint(['agreed_by'], ['user.id'], name='fk_named_unit_agreed_by'),
        sa.PrimaryKeyConstraint('unit_id', name='pk_named_unit')
    )


def downgrade() -> None:
    op.drop_table('named_unit')
    op.drop_table('supplier_cost')
