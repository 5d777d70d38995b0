"""tables of imports"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STATES = ('queued', 'checking', 'ready', 'faulty', 'refused', 'confirmed', 'writing', 'done', 'cancelled')
OPEN = sa.text("state IN ('queued', 'checking', 'ready', 'confirmed', 'writing')")


def upgrade() -> None:
    op.create_table(
        'sheet_import',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('kind', sa.String(length=24), nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('state', sa.Enum(*STATES, name='state', native_enum=False, create_constraint=False, length=24),
                  nullable=False),
        *(sa.Column(name, NUMBER, nullable=False) for name in (
            'attempt', 'rows_total', 'rows_done', 'new_rows', 'changed_rows', 'unchanged_rows', 'left_out_rows',
            'faults')),
        sa.Column('first_rows', sa.JSON(), nullable=True),
        sa.Column('refusal', sa.JSON(), nullable=True),
        sa.Column('uploaded_by', NUMBER, nullable=False),
        sa.Column('uploaded_at', sa.DateTime(), nullable=False),
        sa.Column('checked_at', sa.DateTime(), nullable=True),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in STATES) + ")",
                           name='ck_sheet_import_state'),
        sa.CheckConstraint('rows_done >= 0 AND rows_done <= rows_total', name='ck_sheet_import_rows'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_sheet_import_organisation_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_sheet_import_file_id'),
        sa.ForeignKeyConstraint(['uploaded_by'], ['user.id'], name='fk_sheet_import_uploaded_by'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_sheet_import_decided_by'),
        sa.PrimaryKeyConstraint('id', name='pk_sheet_import'),
    )
    op.create_index('ix_sheet_import_newest', 'sheet_import', ['organisation_id', 'id'])
    op.create_index('uq_sheet_import_open', 'sheet_import', ['organisation_id', 'kind', 'sha256'], unique=True,
                    sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        'sheet_fault',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('import_id', NUMBER, nullable=False),
        sa.Column('line', NUMBER, nullable=False),
        sa.Column('field', sa.String(length=40), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('details', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['import_id'], ['sheet_import.id'], name='fk_sheet_fault_import_id'),
        sa.PrimaryKeyConstraint('id', name='pk_sheet_fault'),
    )
    op.create_index('ix_sheet_fault_import', 'sheet_fault', ['import_id', 'line'])
    op.create_table(
        'imported_lot',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('reference', sa.String(length=40), nullable=False),
        sa.Column('lot_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_imported_lot_supplier_id'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_imported_lot_lot_id'),
        sa.PrimaryKeyConstraint('id', name='pk_imported_lot'),
        sa.UniqueConstraint('supplier_id', 'reference', name='uq_imported_lot_supplier_id_reference'),
        sa.UniqueConstraint('lot_id', name='uq_imported_lot_lot_id'),
    )


def downgrade() -> None:
    op.drop_table('imported_lot')
    op.drop_index('ix_sheet_fault_import', table_name='sheet_fault')
    op.drop_table('sheet_fault')
    op.drop_index('uq_sheet_import_open', table_name='sheet_import')
    op.drop_index('ix_sheet_import_newest', table_name='sheet_import')
    op.drop_table('sheet_import')
