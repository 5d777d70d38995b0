"""listing review, price vouchers, reference prices, outliers"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OLD, NEW = ('listed', 'hidden'), ('listed', 'hidden', 'waiting', 'returned')


def choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def allow_states(states: tuple[str, ...]) -> None:
    words = ', '.join(f"'{state}'" for state in states)
    with op.batch_alter_table('product') as table:
        table.drop_constraint(op.f('ck_product_state'), type_='check')
        table.create_check_constraint(op.f('ck_product_state'), f'state IN ({words})')


def upgrade() -> None:
    allow_states(NEW)
    op.create_table('listing_review',
    sa.Column('id', WHOLE, nullable=False),
    sa.Column('product_id', WHOLE, nullable=False),
    sa.Column('kind', choice('kind', 'new', 'edit', 'taken_off'), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('proposed', sa.JSON(), nullable=True),
    sa.Column('submitted_by', WHOLE, nullable=True),
    sa.Column('submitted_at', sa.DateTime(), nullable=False),
    sa.Column('decision', choice('decision', 'waiting', 'published', 'approved', 'returned', 'withdrawn'), nullable=False),
    sa.Column('decided_by', WHOLE, nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('remark', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_listing_review_product_id')),
    sa.ForeignKeyConstraint(['submitted_by'], ['user.id'], name=op.f('fk_listing_review_submitted_by')),
    sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name=op.f('fk_listing_review_decided_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listing_review'))
    )
    op.create_index('ix_listing_review_product', 'listing_review', ['product_id', 'id'])
    op.create_index('ix_listing_review_queue', 'listing_review', ['decision', 'submitted_at'])
    op.create_index('uq_listing_review_waiting', 'listing_review', ['product_id'], unique=True,
                    sqlite_where=sa.text("decision = 'waiting'"), postgresql_where=sa.text("decision = 'waiting'"))
    op.create_table('price_voucher',
    sa.Column('id', WHOLE, nullable=False),
    sa.Column('product_id', WHOLE, nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('file_id', WHOLE, nullable=True),
    sa.Column('given_by', WHOLE, nullable=True),
    sa.Column('given_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("link <> '' OR file_id IS NOT NULL", name=op.f('ck_price_voucher_something')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_price_voucher_product_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_price_voucher_file_id')),
    sa.ForeignKeyConstraint(['given_by'], ['user.id'], name=op.f('fk_price_voucher_given_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_voucher'))
    )
    op.create_index(op.f('ix_price_voucher_product_id'), 'price_voucher', ['product_id'])
    op.create_table('picture_mark',
    sa.Column('file_id', WHOLE, nullable=False),
    *(sa.Column(f'part_{number}', WHOLE, nullable=False) for number in range(1, 5)),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_picture_mark_file_id')),
    sa.PrimaryKeyConstraint('file_id', name=op.f('pk_picture_mark'))
    )
    for number in range(1, 5):
        op.create_index(op.f(f'ix_picture_mark_part_{number}'), 'picture_mark', [f'part_{number}'])
    op.create_table('reference_price',
    sa.Column('id', WHOLE, nullable=False),
    sa.Column('division_id', WHOLE, nullable=False),
    sa.Column('category_id', WHOLE, nullable=False),
    sa.Column('word', sa.Text(), nullable=False),
    sa.Column('fen_per_kg', WHOLE, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('entered_by', WHOLE, nullable=True),
    sa.Column('entered_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('fen_per_kg > 0', name=op.f('ck_reference_price_price')),
    sa.ForeignKeyConstraint(['division_id'], ['division.id'], name=op.f('fk_reference_price_division_id')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_reference_price_category_id')),
    sa.ForeignKeyConstraint(['entered_by'], ['user.id'], name=op.f('fk_reference_price_entered_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reference_price'))
    )
    op.create_index('ix_reference_price_newest', 'reference_price', ['division_id', 'category_id', 'word', 'day'])
    op.create_table('price_outlier',
    sa.Column('id', WHOLE, nullable=False),
    sa.Column('product_id', WHOLE, nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('price_fen', WHOLE, nullable=False),
    sa.Column('fen_per_kg', WHOLE, nullable=False),
    sa.Column('median_fen_per_kg', WHOLE, nullable=False),
    sa.Column('compared_with', WHOLE, nullable=False),
    sa.Column('found_at', sa.DateTime(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('reasoned_by', WHOLE, nullable=True),
    sa.Column('reasoned_at', sa.DateTime(), nullable=True),
    sa.Column('approved_by', WHOLE, nullable=True),
    sa.Column('approved_at', sa.DateTime(), nullable=True),
    sa.Column('sent_back_at', sa.DateTime(), nullable=True),
    sa.CheckConstraint('approved_by IS NULL OR approved_by <> reasoned_by', name=op.f('ck_price_outlier_second_person')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_price_outlier_product_id')),
    sa.ForeignKeyConstraint(['reasoned_by'], ['user.id'], name=op.f('fk_price_outlier_reasoned_by')),
    sa.ForeignKeyConstraint(['approved_by'], ['user.id'], name=op.f('fk_price_outlier_approved_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_outlier')),
    sa.UniqueConstraint('product_id', 'period', 'price_fen', name=op.f('uq_price_outlier_product_id_period_price_fen'))
    )
    op.create_index('ix_price_outlier_period', 'price_outlier', ['period', 'id'])


def downgrade() -> None:
    for table in ('price_outlier', 'reference_price', 'picture_mark', 'price_voucher', 'listing_review'):
        op.drop_table(table)
    op.execute("UPDATE product SET state = 'hidden' WHERE state NOT IN ('listed', 'hidden')")
    allow_states(OLD)
