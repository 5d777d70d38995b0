"""what a night compared for each co-operative"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    with op.batch_alter_table('reconciliation') as table:
        table.add_column(sa.Column('occasion', sa.String(length=60), nullable=True))
        table.create_unique_constraint('uq_reconciliation_occasion', ['occasion'])
    op.create_table(
        'reconciled_part',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('run_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('account_id', sa.String(length=80), nullable=False),
        sa.Column('since', sa.DateTime(), nullable=False),
        sa.Column('until', sa.DateTime(), nullable=False),
        sa.Column('compared', NUMBER, nullable=False),
        sa.Column('differences', NUMBER, nullable=False),
        sa.Column('healed', NUMBER, nullable=False),
        sa.Column('theirs_fen', NUMBER, nullable=False),
        sa.Column('ours_fen', NUMBER, nullable=False),
        sa.Column('unknown', NUMBER, nullable=False),
        sa.Column('evidence_id', NUMBER, nullable=True),
        sa.Column('error', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['run_id'], ['reconciliation.id'], name='fk_reconciled_part_run_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_reconciled_part_supplier_id'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_reconciled_part_evidence_id'),
        sa.PrimaryKeyConstraint('id', name='pk_reconciled_part'),
        sa.UniqueConstraint('run_id', 'supplier_id', 'account_id',
                            name='uq_reconciled_part_run_id_supplier_id_account_id')
    )
    op.create_index('ix_reconciled_part_supplier_id', 'reconciled_part', ['supplier_id'])
    op.create_index('ix_reconciled_part_account_id', 'reconciled_part', ['account_id'])


def downgrade() -> None:
    op.drop_table('reconciled_part')
    with op.batch_alter_table('reconciliation') as table:
        table.drop_constraint('uq_reconciliation_occasion', type_='unique')
        table.drop_column('occasion')
