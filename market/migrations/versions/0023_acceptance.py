"""photos, temperature and documents of an acceptance; the inspection book, which only grows until its days are over"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
BOOK = 'inspection_record'


def upgrade() -> None:
    with op.batch_alter_table('acceptance') as table:
        table.add_column(sa.Column('documents_seen', sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column('documents_note', sa.String(length=200), nullable=False, server_default=''))
    with op.batch_alter_table('acceptance') as table:
        table.alter_column('documents_seen', server_default=None)
        table.alter_column('documents_note', server_default=None)
    with op.batch_alter_table('acceptance_line') as table:
        table.add_column(sa.Column('temperature_tenths', NUMBER, nullable=True))
    op.create_table(
        'acceptance_photo',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('acceptance_line_id', NUMBER, nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['acceptance_line_id'], ['acceptance_line.id'],
                                name='fk_acceptance_photo_acceptance_line_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_acceptance_photo_file_id'),
        sa.PrimaryKeyConstraint('id', name='pk_acceptance_photo'),
        sa.UniqueConstraint('acceptance_line_id', 'file_id', name='uq_acceptance_photo_acceptance_line_id_file_id'),
    )
    op.create_index('ix_acceptance_photo_file_id', 'acceptance_photo', ['file_id'])
    _create_book()
    guard = _guard_postgresql if op.get_bind().dialect.name == 'postgresql' else _guard_sqlite
    guard()


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for name in ('grows', 'is_kept', 'is_not_emptied'):
            op.execute(f'DROP TRIGGER {BOOK}_{name} ON {BOOK}')
        op.execute('DROP FUNCTION refuse_early_deletion()')
    else:
        op.execute(f'DROP TRIGGER {BOOK}_no_update')
        op.execute(f'DROP TRIGGER {BOOK}_no_delete')
    op.drop_table(BOOK)
    op.drop_table('acceptance_photo')
    with op.batch_alter_table('acceptance_line') as table:
        table.drop_column('temperature_tenths')
    with op.batch_alter_table('acceptance') as table:
        table.drop_column('documents_note')
        table.drop_column('documents_seen')


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _create_book() -> None:
    links = {'unit_id': 'organisation', 'acceptance_line_id': 'acceptance_line',
             'shipment_line_id': 'shipment_line', 'supplier_id': 'organisation', 'first_inspector': 'user',
             'second_inspector': 'user', 'voucher_id': 'stored_file'}
    op.create_table(
        BOOK,
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('source', _words('source', 'here', 'elsewhere'), nullable=False),
        sa.Column('acceptance_line_id', NUMBER, nullable=True),
        sa.Column('shipment_line_id', NUMBER, nullable=True),
        sa.Column('reference', sa.String(length=40), nullable=False),
        sa.Column('bought_on', sa.Date(), nullable=False),
        sa.Column('product_name', sa.Text(), nullable=False),
        sa.Column('spec', sa.String(length=40), nullable=False),
        sa.Column('unit', sa.String(length=16), nullable=False),
        sa.Column('quantity_milli', NUMBER, nullable=False),
        sa.Column('lot_code', sa.String(length=40), nullable=False),
        sa.Column('made_on', sa.Date(), nullable=True),
        sa.Column('best_before', sa.Date(), nullable=True),
        sa.Column('supplier_id', NUMBER, nullable=True),
        sa.Column('supplier_name', sa.Text(), nullable=False),
        sa.Column('supplier_address', sa.Text(), nullable=False),
        sa.Column('supplier_contact', sa.Text(), nullable=False),
        sa.Column('certificates', sa.Text(), nullable=False),
        sa.Column('first_inspector', NUMBER, nullable=False),
        sa.Column('second_inspector', NUMBER, nullable=False),
        sa.Column('first_name', sa.Text(), nullable=False),
        sa.Column('second_name', sa.Text(), nullable=False),
        sa.Column('result', _words('result', 'accepted', 'short', 'over', 'rejected'), nullable=False),
        sa.Column('rejected_milli', NUMBER, nullable=False),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('temperature_tenths', NUMBER, nullable=True),
        sa.Column('voucher_id', NUMBER, nullable=True),
        sa.Column('keep_until', sa.Date(), nullable=False),
        sa.Column('keep_rule', _words('keep_rule', 'shelf_life', 'no_shelf_life', 'farm_produce'), nullable=False),
        sa.Column('recorded_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint("(source = 'here') = (acceptance_line_id IS NOT NULL)",
                           name=op.f('ck_inspection_record_source_line')),
        sa.CheckConstraint("(source = 'elsewhere') = (voucher_id IS NOT NULL)",
                           name=op.f('ck_inspection_record_voucher')),
        sa.CheckConstraint('quantity_milli >= 0 AND rejected_milli >= 0 AND quantity_milli + rejected_milli > 0',
                           name=op.f('ck_inspection_record_quantity')),
        sa.CheckConstraint('first_inspector <> second_inspector', name=op.f('ck_inspection_record_two_people')),
        sa.CheckConstraint('keep_until >= bought_on', name=op.f('ck_inspection_record_keeping')),
        *(sa.ForeignKeyConstraint([column], [f'{table}.id'], name=f'fk_inspection_record_{column}')
          for column, table in links.items()),
        sa.PrimaryKeyConstraint('id', name='pk_inspection_record'),
        sa.UniqueConstraint('acceptance_line_id', 'shipment_line_id',
                            name='uq_inspection_record_acceptance_line_id_shipment_line_id'),
    )
    op.create_index('ix_inspection_record_book', BOOK, ['unit_id', 'bought_on', 'id'])
    op.create_index('ix_inspection_record_shipment_line_id', BOOK, ['shipment_line_id'])


def _guard_postgresql() -> None:
    """The database's own clock decides: whoever sets the application's clock deletes nothing."""
    op.execute("""
        CREATE FUNCTION refuse_early_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.keep_until < (now() AT TIME ZONE 'Asia/Shanghai')::date THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION '% only grows: % is refused until %', TG_TABLE_NAME, TG_OP, OLD.keep_until
                USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute(f'CREATE TRIGGER {BOOK}_grows BEFORE UPDATE ON {BOOK} FOR EACH ROW EXECUTE FUNCTION refuse_change()')
    op.execute(f'CREATE TRIGGER {BOOK}_is_kept BEFORE DELETE ON {BOOK} '
               'FOR EACH ROW EXECUTE FUNCTION refuse_early_deletion()')
    op.execute(f'CREATE TRIGGER {BOOK}_is_not_emptied BEFORE TRUNCATE ON {BOOK} '
               'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')


def _guard_sqlite() -> None:
    op.execute(f'CREATE TRIGGER {BOOK}_no_update BEFORE UPDATE ON {BOOK} '
               f"BEGIN SELECT RAISE(ABORT, '{BOOK} only grows: UPDATE is refused'); END")
    op.execute(f'CREATE TRIGGER {BOOK}_no_delete BEFORE DELETE ON {BOOK} '
               "WHEN OLD.keep_until >= date('now', '+8 hours') "
               f"BEGIN SELECT RAISE(ABORT, '{BOOK} only grows: DELETE is refused'); END")
