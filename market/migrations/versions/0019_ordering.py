"""weekly lists, what units call their goods"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
IN_USE = sa.text('removed_at IS NULL')


def upgrade() -> None:
    op.create_table(
        'weekly_list',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('made_by', NUMBER, nullable=False),
        sa.Column('made_at', sa.DateTime(), nullable=False),
        sa.Column('changed_at', sa.DateTime(), nullable=False),
        sa.Column('removed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_weekly_list_unit_id'),
        sa.ForeignKeyConstraint(['made_by'], ['user.id'], name='fk_weekly_list_made_by'),
        sa.PrimaryKeyConstraint('id', name='pk_weekly_list'),
    )
    op.create_index('uq_weekly_list_name', 'weekly_list', ['unit_id', 'name'], unique=True, sqlite_where=IN_USE,
                    postgresql_where=IN_USE)
    op.create_table(
        'weekly_list_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('list_id', NUMBER, nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('milli', NUMBER, nullable=False),
        sa.Column('weekday', NUMBER, nullable=False),
        sa.CheckConstraint('milli > 0', name=op.f('ck_weekly_list_line_milli')),
        sa.CheckConstraint('weekday BETWEEN 0 AND 7', name=op.f('ck_weekly_list_line_weekday')),
        sa.ForeignKeyConstraint(['list_id'], ['weekly_list.id'], name='fk_weekly_list_line_list_id'),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_weekly_list_line_product_id'),
        sa.PrimaryKeyConstraint('id', name='pk_weekly_list_line'),
        sa.UniqueConstraint('list_id', 'product_id', 'weekday', name='uq_weekly_list_line_list_id_product_id_weekday'),
    )
    op.create_table(
        'unit_alias',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('word', sa.String(length=40), nullable=False),
        sa.Column('product_id', NUMBER, nullable=False),
        sa.Column('learned_by', NUMBER, nullable=False),
        sa.Column('learned_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_unit_alias_unit_id'),
        sa.ForeignKeyConstraint(['product_id'], ['product.id'], name='fk_unit_alias_product_id'),
        sa.ForeignKeyConstraint(['learned_by'], ['user.id'], name='fk_unit_alias_learned_by'),
        sa.PrimaryKeyConstraint('id', name='pk_unit_alias'),
        sa.UniqueConstraint('unit_id', 'word', name='uq_unit_alias_unit_id_word'),
    )


def downgrade() -> None:
    for table in ('unit_alias', 'weekly_list_line', 'weekly_list'):
        op.drop_table(table)
