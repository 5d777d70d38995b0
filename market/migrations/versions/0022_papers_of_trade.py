"""papers of trade: frame contracts, statements, invoices, bundles"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        'invoice_title',
        sa.Column('unit_id', NUMBER, autoincrement=False, nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('tax_number', sa.String(length=18), nullable=False),
        sa.Column('address', sa.Text(), nullable=False),
        sa.Column('phone', sa.Text(), nullable=False),
        sa.Column('bank_name', sa.Text(), nullable=False),
        sa.Column('bank_account', sa.Text(), nullable=False),
        sa.Column('changed_by', NUMBER, nullable=False),
        sa.Column('changed_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['changed_by'], ['user.id'], name='fk_invoice_title_changed_by'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_invoice_title_unit_id'),
        sa.PrimaryKeyConstraint('unit_id', name='pk_invoice_title'),
    )
    op.create_table(
        'statement',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('month', sa.String(length=7), nullable=False),
        sa.Column('opening_fen', NUMBER, nullable=False),
        sa.Column('closing_fen', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'issued', 'confirmed', 'objected'), nullable=False),
        sa.Column('issued_by', NUMBER, nullable=False),
        sa.Column('issued_at', sa.DateTime(), nullable=False),
        sa.Column('answered_by', NUMBER, nullable=True),
        sa.Column('answered_at', sa.DateTime(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['answered_by'], ['user.id'], name='fk_statement_answered_by'),
        sa.ForeignKeyConstraint(['issued_by'], ['user.id'], name='fk_statement_issued_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_statement_supplier_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_statement_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_statement'),
        sa.UniqueConstraint('number', name='uq_statement_number'),
        sa.UniqueConstraint('unit_id', 'supplier_id', 'month', name='uq_statement_unit_id_supplier_id_month'),
    )
    op.create_index('ix_statement_supplier', 'statement', ['supplier_id', 'month'])
    op.create_table(
        'frame_contract',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('payment_days', NUMBER, nullable=False),
        sa.Column('price_rule', sa.Text(), nullable=False),
        sa.Column('state', _choice('state', 'drafted', 'signed', 'ended'), nullable=False),
        sa.Column('drafted_by', NUMBER, nullable=False),
        sa.Column('drafted_at', sa.DateTime(), nullable=False),
        sa.Column('unit_scan_id', NUMBER, nullable=True),
        sa.Column('supplier_scan_id', NUMBER, nullable=True),
        sa.Column('signed_at', sa.DateTime(), nullable=True),
        sa.Column('ended_by', NUMBER, nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.Column('end_reason', sa.Text(), nullable=False),
        sa.CheckConstraint("state <> 'signed' OR (unit_scan_id IS NOT NULL AND supplier_scan_id IS NOT NULL)",
                           name=op.f('ck_frame_contract_both_signed')),
        sa.CheckConstraint('first_day <= last_day', name=op.f('ck_frame_contract_days')),
        sa.CheckConstraint('payment_days BETWEEN 1 AND 60', name=op.f('ck_frame_contract_payment_days')),
        sa.ForeignKeyConstraint(['drafted_by'], ['user.id'], name='fk_frame_contract_drafted_by'),
        sa.ForeignKeyConstraint(['ended_by'], ['user.id'], name='fk_frame_contract_ended_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_frame_contract_supplier_id'),
        sa.ForeignKeyConstraint(['supplier_scan_id'], ['stored_file.id'], name='fk_frame_contract_supplier_scan_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_frame_contract_unit_id'),
        sa.ForeignKeyConstraint(['unit_scan_id'], ['stored_file.id'], name='fk_frame_contract_unit_scan_id'),
        sa.PrimaryKeyConstraint('id', name='pk_frame_contract'),
        sa.UniqueConstraint('number', name='uq_frame_contract_number'),
    )
    op.create_index('ix_frame_contract_supplier_id', 'frame_contract', ['supplier_id'])
    op.create_index('uq_frame_contract_holds', 'frame_contract', ['unit_id', 'supplier_id', 'year'], unique=True,
                    sqlite_where=sa.text("state <> 'ended'"), postgresql_where=sa.text("state <> 'ended'"))
    op.create_table(
        'invoice_request',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('statement_id', NUMBER, nullable=True),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('exempt', sa.Boolean(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('tax_number', sa.String(length=18), nullable=False),
        sa.Column('address', sa.Text(), nullable=False),
        sa.Column('phone', sa.Text(), nullable=False),
        sa.Column('bank_name', sa.Text(), nullable=False),
        sa.Column('bank_account', sa.Text(), nullable=False),
        sa.Column('remark', sa.Text(), nullable=False),
        sa.Column('state', _choice('state', 'asked', 'invoiced', 'cancelled'), nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_invoice_request_amount')),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_invoice_request_asked_by'),
        sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name='fk_invoice_request_statement_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_invoice_request_supplier_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_invoice_request_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_invoice_request'),
        sa.UniqueConstraint('number', name='uq_invoice_request_number'),
    )
    op.create_index('ix_invoice_request_statement_id', 'invoice_request', ['statement_id'])
    op.create_index('ix_invoice_request_supplier', 'invoice_request', ['supplier_id', 'state'])
    op.create_index('ix_invoice_request_unit', 'invoice_request', ['unit_id', 'id'])
    op.create_table(
        'paper_bundle',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('partner_id', NUMBER, nullable=True),
        sa.Column('month', sa.String(length=7), nullable=False),
        sa.Column('state', _choice('state', 'queued', 'making', 'done', 'failed'), nullable=False),
        sa.Column('done', NUMBER, nullable=False),
        sa.Column('whole', NUMBER, nullable=False),
        sa.Column('file_id', NUMBER, nullable=True),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('0 <= done AND done <= whole', name=op.f('ck_paper_bundle_progress')),
        sa.ForeignKeyConstraint(['asked_by'], ['user.id'], name='fk_paper_bundle_asked_by'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_paper_bundle_file_id'),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name='fk_paper_bundle_organisation_id'),
        sa.ForeignKeyConstraint(['partner_id'], ['organisation.id'], name='fk_paper_bundle_partner_id'),
        sa.PrimaryKeyConstraint('id', name='pk_paper_bundle'),
    )
    op.create_index('ix_paper_bundle_organisation_id', 'paper_bundle', ['organisation_id'])
    op.create_table(
        'invoice',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=20), nullable=False),
        sa.Column('request_id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=False),
        sa.Column('exempt', sa.Boolean(), nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'matched', 'differs', 'accepted', 'refused', 'replaced'), nullable=False),
        sa.Column('replaces_id', NUMBER, nullable=True),
        sa.Column('red_number', sa.String(length=20), nullable=True),
        sa.Column('sent_by', NUMBER, nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.Column('replace_by', sa.Date(), nullable=False),
        sa.Column('answered_by', NUMBER, nullable=True),
        sa.Column('answered_at', sa.DateTime(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.CheckConstraint("(state = 'replaced') = (red_number IS NOT NULL)", name=op.f('ck_invoice_red')),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_invoice_amount')),
        sa.ForeignKeyConstraint(['answered_by'], ['user.id'], name='fk_invoice_answered_by'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_invoice_file_id'),
        sa.ForeignKeyConstraint(['replaces_id'], ['invoice.id'], name='fk_invoice_replaces_id'),
        sa.ForeignKeyConstraint(['request_id'], ['invoice_request.id'], name='fk_invoice_request_id'),
        sa.ForeignKeyConstraint(['sent_by'], ['user.id'], name='fk_invoice_sent_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_invoice_supplier_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_invoice_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_invoice'),
        sa.UniqueConstraint('number', name='uq_invoice_number'),
        sa.UniqueConstraint('red_number', name='uq_invoice_red_number'),
        sa.UniqueConstraint('replaces_id', name='uq_invoice_replaces_id'),
    )
    op.create_index('ix_invoice_request_id', 'invoice', ['request_id'])
    op.create_index('ix_invoice_supplier_id', 'invoice', ['supplier_id'])
    op.create_index('ix_invoice_unit_id', 'invoice', ['unit_id'])
    op.create_index('uq_invoice_counts', 'invoice', ['request_id'], unique=True,
                    sqlite_where=sa.text("state <> 'replaced'"), postgresql_where=sa.text("state <> 'replaced'"))
    op.create_table(
        'frame_call_off',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('contract_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['contract_id'], ['frame_contract.id'], name='fk_frame_call_off_contract_id'),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_frame_call_off_order_id'),
        sa.PrimaryKeyConstraint('id', name='pk_frame_call_off'),
        sa.UniqueConstraint('order_id', name='uq_frame_call_off_order_id'),
    )
    op.create_index('ix_frame_call_off_contract_id', 'frame_call_off', ['contract_id'])
    op.create_table(
        'invoice_request_order',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('request_id', NUMBER, nullable=False),
        sa.Column('order_id', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_invoice_request_order_order_id'),
        sa.ForeignKeyConstraint(['request_id'], ['invoice_request.id'], name='fk_invoice_request_order_request_id'),
        sa.PrimaryKeyConstraint('id', name='pk_invoice_request_order'),
        sa.UniqueConstraint('request_id', 'order_id', name='uq_invoice_request_order_request_id_order_id'),
    )
    op.create_index('ix_invoice_request_order_order_id', 'invoice_request_order', ['order_id'])
    op.create_table(
        'statement_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('statement_id', NUMBER, nullable=False),
        sa.Column('event', sa.String(length=24), nullable=False),
        sa.Column('business_date', sa.Date(), nullable=False),
        sa.Column('order_id', NUMBER, nullable=True),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.CheckConstraint('amount_fen <> 0', name=op.f('ck_statement_line_amount')),
        sa.ForeignKeyConstraint(['order_id'], ['order.id'], name='fk_statement_line_order_id'),
        sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name='fk_statement_line_statement_id'),
        sa.PrimaryKeyConstraint('id', name='pk_statement_line'),
    )
    op.create_index('ix_statement_line_order_id', 'statement_line', ['order_id'])
    op.create_index('ix_statement_line_statement_id', 'statement_line', ['statement_id'])


def downgrade() -> None:
    for name in ('statement_line', 'invoice_request_order', 'frame_call_off', 'invoice', 'paper_bundle',
                 'invoice_request', 'frame_contract', 'statement', 'invoice_title'):
        op.drop_table(name)
