"""certificate vault, reminders, an e-mail address per person"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'paper',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=True),
        sa.Column('lot_id', NUMBER, nullable=True),
        sa.Column('kind', sa.String(length=24), nullable=False),
        sa.Column('number', sa.String(length=60), nullable=False),
        sa.Column('issuer', sa.String(length=80), nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=False),
        sa.Column('valid_until', sa.Date(), nullable=True),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.Column('added_by', NUMBER, nullable=True),
        sa.Column('added_at', sa.DateTime(), nullable=False),
        sa.Column('state', sa.Enum('unchecked', 'checked', 'refused', name='state', native_enum=False,
                                   create_constraint=True, length=24), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.CheckConstraint("(state = 'refused') = (reason <> '')", name='ck_paper_reason'),
        sa.CheckConstraint("(state = 'unchecked') = (decided_at IS NULL)", name='ck_paper_decided'),
        sa.CheckConstraint('product_id IS NULL OR lot_id IS NULL', name='ck_paper_about'),
        sa.CheckConstraint('valid_until IS NULL OR valid_until >= issued_on', name='ck_paper_days'),
        sa.ForeignKeyConstraint(['added_by'], ['user.id'], name='fk_paper_added_by'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_paper_decided_by'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_paper_file_id'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_paper_lot_id'),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_paper_product_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_paper_supplier_id'),
        sa.PrimaryKeyConstraint('id', name='pk_paper'),
    )
    op.create_index('ix_paper_lot_id', 'paper', ['lot_id'])
    op.create_index('ix_paper_product_id', 'paper', ['product_id'])
    op.create_index('ix_paper_state', 'paper', ['state', 'valid_until'])
    op.create_index('ix_paper_supplier', 'paper', ['supplier_id', 'kind', 'valid_until'])
    op.create_table(
        'paper_reminder',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('paper_id', NUMBER, nullable=False),
        sa.Column('days', NUMBER, nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['paper_id'], ['paper.id'], name='fk_paper_reminder_paper_id'),
        sa.PrimaryKeyConstraint('id', name='pk_paper_reminder'),
        sa.UniqueConstraint('paper_id', 'days', name='uq_paper_reminder_paper_id_days'),
    )
    with op.batch_alter_table('user') as table:
        table.add_column(sa.Column('email', sa.String(length=254), nullable=False, server_default=''))
    with op.batch_alter_table('user') as table:
        table.alter_column('email', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('user') as table:
        table.drop_column('email')
    op.drop_table('paper_reminder')
    op.drop_table('paper')
