"""how a lot was received, households named later"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'lot_detail',
        sa.Column('lot_id', NUMBER, autoincrement=False, nullable=False),
        sa.Column('received_at', sa.String(length=60), nullable=False),
        sa.Column('plot', sa.String(length=60), nullable=False),
        sa.Column('area_mu_hundredths', NUMBER, nullable=True),
        sa.Column('test', sa.Enum('none', 'passed', 'failed', name='test', native_enum=False,
                                  create_constraint=True, length=24), nullable=False),
        sa.Column('test_note', sa.String(length=200), nullable=False),
        sa.Column('notebook_id', NUMBER, nullable=True),
        sa.CheckConstraint('area_mu_hundredths > 0', name='ck_lot_detail_area'),
        sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name='fk_lot_detail_lot_id'),
        sa.ForeignKeyConstraint(['notebook_id'], ['stored_file.id'], name='fk_lot_detail_notebook_id'),
        sa.PrimaryKeyConstraint('lot_id', name='pk_lot_detail'),
    )
    with op.batch_alter_table('lot_contribution') as table:
        table.add_column(sa.Column('unsplit', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('lot_contribution') as table:
        table.alter_column('unsplit', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('lot_contribution') as table:
        table.drop_column('unsplit')
    op.drop_table('lot_detail')
