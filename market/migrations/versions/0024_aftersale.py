"""after-sale cases, ratings, changes of the credited unit"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STANDING = sa.text("state IN ('asked', 'approved')")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        'credit_change',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('from_unit_id', NUMBER, nullable=False),
        sa.Column('from_unit_type', sa.Text(), nullable=False),
        sa.Column('to_unit_id', NUMBER, nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('evidence_id', NUMBER, nullable=True),
        sa.Column('state', _choice('state', 'asked', 'approved', 'declined'), nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('remark', sa.Text(), nullable=False),
        sa.Column('after_acceptance', sa.Boolean(), nullable=False),
        sa.Column('business_date', sa.Date(), nullable=True),
        sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_credit_change_second_person')),
        sa.CheckConstraint('from_unit_id <> to_unit_id', name=op.f('ck_credit_change_another_unit')),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_credit_change_asked_by'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_credit_change_decided_by'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_credit_change_evidence_id'),
        sa.ForeignKeyConstraint(['from_unit_id'], ['organisation.id'], name='fk_credit_change_from_unit_id'),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_credit_change_order_id'),
        sa.ForeignKeyConstraint(['to_unit_id'], ['organisation.id'], name='fk_credit_change_to_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_credit_change'),
    )
    op.create_index('ix_credit_change_order_id', 'credit_change', ['order_id'])
    op.create_index('uq_credit_change_standing', 'credit_change', ['order_id'], unique=True, sqlite_where=STANDING,
                    postgresql_where=STANDING)
    op.create_table(
        'rating',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('goods_stars', NUMBER, nullable=False),
        sa.Column('delivery_stars', NUMBER, nullable=False),
        sa.Column('words', sa.Text(), nullable=False),
        sa.Column('rated_by', NUMBER, nullable=False),
        sa.Column('rated_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('goods_stars BETWEEN 1 AND 5 AND delivery_stars BETWEEN 1 AND 5',
                           name=op.f('ck_rating_stars')),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_rating_order_id'),
        sa.ForeignKeyConstraint(['rated_by'], ['user.id'], name='fk_rating_rated_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_rating_supplier_id'),
        sa.PrimaryKeyConstraint('id', name='pk_rating'),
        sa.UniqueConstraint('order_id', name='uq_rating_order_id'),
    )
    op.create_index('ix_rating_supplier', 'rating', ['supplier_id', 'id'])
    op.create_table(
        'after_sale',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'return', 'replacement', 'complaint'), nullable=False),
        sa.Column('state', _choice('state', 'open', 'refused', 'mediation', 'proposed', 'agreed', 'withdrawn',
                                   'failed'), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('words', sa.Text(), nullable=False),
        sa.Column('opened_by', NUMBER, nullable=False),
        sa.Column('opened_at', sa.DateTime(), nullable=False),
        sa.Column('business_date', sa.Date(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=True),
        sa.Column('answer', sa.Text(), nullable=False),
        sa.Column('answered_by', NUMBER, nullable=True),
        sa.Column('answered_at', sa.DateTime(), nullable=True),
        sa.Column('office_id', NUMBER, nullable=True),
        sa.Column('proposal', sa.Text(), nullable=False),
        sa.Column('mediated_by', NUMBER, nullable=True),
        sa.Column('return_id', NUMBER, nullable=True),
        sa.Column('replacement_id', NUMBER, nullable=True),
        sa.Column('closed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['answered_by'], ['user.id'], name='fk_after_sale_answered_by'),
        sa.ForeignKeyConstraint(['mediated_by'], ['user.id'], name='fk_after_sale_mediated_by'),
        sa.ForeignKeyConstraint(['office_id'], ['organisation.id'], name='fk_after_sale_office_id'),
        sa.ForeignKeyConstraint(['opened_by'], ['user.id'], name='fk_after_sale_opened_by'),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_after_sale_order_id'),
        sa.ForeignKeyConstraint(['replacement_id'], ['purchase.id'], name='fk_after_sale_replacement_id'),
        sa.ForeignKeyConstraint(['return_id'], ['goods_return.id'], name='fk_after_sale_return_id'),
        sa.PrimaryKeyConstraint('id', name='pk_after_sale'),
        sa.UniqueConstraint('number', name='uq_after_sale_number'),
    )
    op.create_index('ix_after_sale_open', 'after_sale', ['state', 'due_on'])
    op.create_index('ix_after_sale_order', 'after_sale', ['order_id'])
    op.create_table(
        'after_sale_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('case_id', NUMBER, nullable=False),
        sa.Column('order_line_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0', name=op.f('ck_after_sale_line_milli')),
        sa.ForeignKeyConstraint(['case_id'], ['after_sale.id'], name='fk_after_sale_line_case_id'),
        sa.ForeignKeyConstraint(['order_line_id'], ['order_line.id'], name='fk_after_sale_line_order_line_id'),
        sa.PrimaryKeyConstraint('id', name='pk_after_sale_line'),
        sa.UniqueConstraint('case_id', 'order_line_id', name='uq_after_sale_line_case_id_order_line_id'),
    )
    op.create_index('ix_after_sale_line_order_line_id', 'after_sale_line', ['order_line_id'])
    op.create_table(
        'after_sale_photo',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('case_id', NUMBER, nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['case_id'], ['after_sale.id'], name='fk_after_sale_photo_case_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_after_sale_photo_file_id'),
        sa.PrimaryKeyConstraint('id', name='pk_after_sale_photo'),
    )
    op.create_index('ix_after_sale_photo_case_id', 'after_sale_photo', ['case_id'])


def downgrade() -> None:
    for table in ('after_sale_photo', 'after_sale_line', 'after_sale', 'rating', 'credit_change'):
        op.drop_table(table)
