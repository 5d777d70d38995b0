"""certificates of conformity, what happened to lots, recalls"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'conformity_certificate',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('issue', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('product_name', sa.Text(), nullable=False),
        sa.Column('product_name_en', sa.Text(), nullable=False),
        sa.Column('quantity_milli', NUMBER, nullable=False),
        sa.Column('unit', sa.Text(), nullable=False),
        sa.Column('unit_en', sa.Text(), nullable=False),
        sa.Column('grams', NUMBER, nullable=False),
        sa.Column('origin', sa.Text(), nullable=False),
        sa.Column('made_on', sa.Date(), nullable=False),
        sa.Column('promiser', sa.Text(), nullable=False),
        sa.Column('contact', sa.Text(), nullable=False),
        sa.Column('address', sa.Text(), nullable=False),
        sa.Column('bases', sa.Text(), nullable=False),
        sa.Column('issued_by', NUMBER, nullable=True),
        sa.Column('issued_at', sa.DateTime(), nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=False),
        sa.Column('keep_until', sa.Date(), nullable=False),
        sa.Column('replaces_id', NUMBER, nullable=True),
        sa.CheckConstraint('quantity_milli > 0 AND grams > 0', name='ck_conformity_certificate_amounts'),
        sa.ForeignKeyConstraint(['issued_by'], ['user.id'], name='fk_conformity_certificate_issued_by'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_conformity_certificate_lot_id'),
        sa.ForeignKeyConstraint(['replaces_id'], ['conformity_certificate.id'],
                                name='fk_conformity_certificate_replaces_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_conformity_certificate_supplier_id'),
        sa.PrimaryKeyConstraint('id', name='pk_conformity_certificate'),
        sa.UniqueConstraint('lot_id', 'issue', name='uq_conformity_certificate_lot_id_issue'),
        sa.UniqueConstraint('number', name='uq_conformity_certificate_number'),
    )
    op.create_index('ix_conformity_certificate_supplier_id', 'conformity_certificate', ['supplier_id'])
    op.create_table(
        'recall',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('recalled_by', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('recalled_at', sa.DateTime(), nullable=False),
        sa.Column('business_date', sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_recall_lot_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_recall_organisation_id'),
        sa.ForeignKeyConstraint(['recalled_by'], ['user.id'], name='fk_recall_recalled_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_recall_supplier_id'),
        sa.PrimaryKeyConstraint('id', name='pk_recall'),
        sa.UniqueConstraint('lot_id', name='uq_recall_lot_id'),
        sa.UniqueConstraint('number', name='uq_recall_number'),
    )
    op.create_index('ix_recall_supplier_id', 'recall', ['supplier_id'])
    op.create_table(
        'trace_event',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('kind', sa.Enum(
            'booked', 'made', 'used', 'confirmed', 'certified', 'shipped', 'accepted', 'refused', 'returned', 'recalled',
            'written_off', name='kind', native_enum=False, create_constraint=True, length=24), nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('grams', NUMBER, nullable=False),
        sa.Column('at', sa.DateTime(), nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('division_id', NUMBER, nullable=True),
        sa.Column('to_organisation_id', NUMBER, nullable=True),
        sa.Column('reference', sa.Text(), nullable=False),
        sa.Column('source', sa.String(length=48), nullable=False),
        sa.CheckConstraint('milli >= 0 AND grams >= 0', name='ck_trace_event_amounts'),
        sa.ForeignKeyConstraint(['division_id'], ['division.id'], name='fk_trace_event_division_id'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_trace_event_lot_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_trace_event_organisation_id'),
        sa.ForeignKeyConstraint(['to_organisation_id'], ['organisation.id'], name='fk_trace_event_to_organisation_id'),
        sa.PrimaryKeyConstraint('id', name='pk_trace_event'),
        sa.UniqueConstraint('kind', 'source', name='uq_trace_event_kind_source'),
    )
    op.create_index('ix_trace_event_lot', 'trace_event', ['lot_id', 'id'])
    op.create_table(
        'conformity_source',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('certificate_id', NUMBER, nullable=False),
        sa.Column('source_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['certificate_id'], ['conformity_certificate.id'],
                                name='fk_conformity_source_certificate_id'),
        sa.ForeignKeyConstraint(['source_id'], ['conformity_certificate.id'], name='fk_conformity_source_source_id'),
        sa.PrimaryKeyConstraint('id', name='pk_conformity_source'),
        sa.UniqueConstraint('certificate_id', 'source_id', name='uq_conformity_source_certificate_id_source_id'),
    )
    op.create_index('ix_conformity_source_source_id', 'conformity_source', ['source_id'])
    op.create_table(
        'conformity_void',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('certificate_id', NUMBER, nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('voided_by', NUMBER, nullable=True),
        sa.Column('voided_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['certificate_id'], ['conformity_certificate.id'],
                                name='fk_conformity_void_certificate_id'),
        sa.ForeignKeyConstraint(['voided_by'], ['user.id'], name='fk_conformity_void_voided_by'),
        sa.PrimaryKeyConstraint('id', name='pk_conformity_void'),
        sa.UniqueConstraint('certificate_id', name='uq_conformity_void_certificate_id'),
    )
    op.create_table(
        'recall_lot',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('recall_id', NUMBER, nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_recall_lot_lot_id'),
        sa.ForeignKeyConstraint(['recall_id'], ['recall.id'], name='fk_recall_lot_recall_id'),
        sa.PrimaryKeyConstraint('id', name='pk_recall_lot'),
        sa.UniqueConstraint('lot_id', name='uq_recall_lot_lot_id'),
    )
    op.create_index('ix_recall_lot_recall_id', 'recall_lot', ['recall_id'])
    op.create_table(
        'recall_release',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('recall_id', NUMBER, nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.Column('line_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0', name='ck_recall_release_milli'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_recall_release_lot_id'),
        sa.ForeignKeyConstraint(['recall_id'], ['recall.id'], name='fk_recall_release_recall_id'),
        sa.PrimaryKeyConstraint('id', name='pk_recall_release'),
        sa.UniqueConstraint('lot_id', 'line_id', name='uq_recall_release_lot_id_line_id'),
    )
    op.create_index('ix_recall_release_line_id', 'recall_release', ['line_id'])
    op.create_index('ix_recall_release_recall_id', 'recall_release', ['recall_id'])


def downgrade() -> None:
    op.drop_index('ix_recall_release_recall_id', table_name='recall_release')
    op.drop_index('ix_recall_release_line_id', table_name='recall_release')
    op.drop_table('recall_release')
    op.drop_index('ix_recall_lot_recall_id', table_name='recall_lot')
    op.drop_table('recall_lot')
    op.drop_table('conformity_void')
    op.drop_index('ix_conformity_source_source_id', table_name='conformity_source')
    op.drop_table('conformity_source')
    op.drop_index('ix_trace_event_lot', table_name='trace_event')
    op.drop_table('trace_event')
    op.drop_index('ix_recall_supplier_id', table_name='recall')
    op.drop_table('recall')
    op.drop_index('ix_conformity_certificate_supplier_id', table_name='conformity_certificate')
    op.drop_table('conformity_certificate')
