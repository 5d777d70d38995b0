"""the reserved share: rules, filings, successions, what 832 exports say"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TABLES = ('quota_rule', 'quota_term', 'quota_filing', 'quota_reminder', 'quota_upload', 'quota_outside_filing',
          'quota_outside_order', 'quota_revision', 'quota_succession')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        'quota_rule',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('division_id', NUMBER, nullable=False),
        sa.Column('unit_type', _choice('unit_type', 'any', 'agency', 'school', 'hospital', 'enterprise',
                                       'community'), nullable=False),
        sa.Column('fund_source', _choice('fund_source', 'canteen', 'union', 'staff'), nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('duty', _choice('duty', '832', 'local'), nullable=False),
        sa.Column('counts', _choice('counts', 'local', '832', 'both'), nullable=False),
        sa.Column('min_points', NUMBER, nullable=False),
        sa.Column('encouraged_points', NUMBER, nullable=False),
        sa.Column('base', sa.Text(), nullable=False),
        sa.Column('document_name', sa.Text(), nullable=False),
        sa.Column('document_number', sa.Text(), nullable=False),
        sa.Column('remark', sa.Text(), nullable=False),
        sa.Column('with_union', sa.Boolean(), nullable=False),
        sa.Column('with_staff', sa.Boolean(), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=True),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.Column('replaces_id', NUMBER, nullable=True),
        sa.CheckConstraint("document_name <> '' AND document_number <> ''", name=op.f('ck_quota_rule_document')),
        sa.CheckConstraint("duty = 'local' OR counts <> 'local'", name=op.f('ck_quota_rule_channels')),
        sa.CheckConstraint('min_points BETWEEN 0 AND encouraged_points AND encouraged_points <= 10000',
                           name=op.f('ck_quota_rule_points')),
        sa.ForeignKeyConstraint(['division_id'], ['division.id'], name='fk_quota_rule_division_id'),
        sa.ForeignKeyConstraint(['entered_by'], ['user.id'], name='fk_quota_rule_entered_by'),
        sa.ForeignKeyConstraint(['replaces_id'], ['quota_rule.id'], name='fk_quota_rule_replaces_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_rule'),
        sa.UniqueConstraint('replaces_id', name='uq_quota_rule_replaces_id')
    )
    op.create_index('uq_quota_rule_current', 'quota_rule', ['division_id', 'unit_type', 'fund_source', 'year',
        'duty'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table(
        'quota_term',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('division_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('deadline', sa.Date(), nullable=False),
        sa.Column('set_by', NUMBER, nullable=True),
        sa.Column('set_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['division_id'], ['division.id'], name='fk_quota_term_division_id'),
        sa.ForeignKeyConstraint(['set_by'], ['user.id'], name='fk_quota_term_set_by'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_term'),
        sa.UniqueConstraint('division_id', 'year', name='uq_quota_term_division_id_year')
    )
    op.create_table(
        'quota_filing',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'draft', 'submitted', 'reviewed', 'approved', 'returned', 'closed'),
                  nullable=False),
        sa.Column('revision', NUMBER, nullable=False),
        sa.Column('canteen', _choice('canteen', 'own', 'outsourced', 'shared', 'none'), nullable=False),
        sa.Column('union_demand', sa.Boolean(), nullable=False),
        sa.Column('canteen_base_fen', NUMBER, nullable=False),
        sa.Column('canteen_points', NUMBER, nullable=False),
        sa.Column('canteen_quota_fen', NUMBER, nullable=False),
        sa.Column('canteen_rule_id', NUMBER, nullable=True),
        sa.Column('union_base_fen', NUMBER, nullable=False),
        sa.Column('union_points', NUMBER, nullable=False),
        sa.Column('union_quota_fen', NUMBER, nullable=False),
        sa.Column('union_rule_id', NUMBER, nullable=True),
        sa.Column('representative_id', NUMBER, nullable=True),
        sa.Column('contractor', sa.Text(), nullable=False),
        sa.Column('contact', sa.Text(), nullable=False),
        sa.Column('phone', sa.Text(), nullable=False),
        sa.Column('remark', sa.Text(), nullable=False),
        sa.Column('saved_by', NUMBER, nullable=True),
        sa.Column('saved_at', sa.DateTime(), nullable=False),
        sa.Column('submitted_by', NUMBER, nullable=True),
        sa.Column('submitted_at', sa.DateTime(), nullable=True),
        sa.Column('is_late', sa.Boolean(), nullable=False),
        sa.Column('reviewed_by', NUMBER, nullable=True),
        sa.Column('reviewed_at', sa.DateTime(), nullable=True),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('closed_on', sa.Date(), nullable=True),
        sa.CheckConstraint('canteen_base_fen >= 0 AND union_base_fen >= 0 AND canteen_quota_fen >= 0 '
                           'AND union_quota_fen >= 0', name=op.f('ck_quota_filing_amounts')),
        sa.CheckConstraint('canteen_points BETWEEN 0 AND 10000 AND union_points BETWEEN 0 AND 10000',
                           name=op.f('ck_quota_filing_points')),
        sa.CheckConstraint('representative_id IS NULL OR representative_id <> unit_id',
                           name=op.f('ck_quota_filing_representative')),
        sa.ForeignKeyConstraint(['canteen_rule_id'], ['quota_rule.id'], name='fk_quota_filing_canteen_rule_id'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_quota_filing_decided_by'),
        sa.ForeignKeyConstraint(['representative_id'], ['organisation.id'],
                                name='fk_quota_filing_representative_id'),
        sa.ForeignKeyConstraint(['reviewed_by'], ['user.id'], name='fk_quota_filing_reviewed_by'),
        sa.ForeignKeyConstraint(['saved_by'], ['user.id'], name='fk_quota_filing_saved_by'),
        sa.ForeignKeyConstraint(['submitted_by'], ['user.id'], name='fk_quota_filing_submitted_by'),
        sa.ForeignKeyConstraint(['union_rule_id'], ['quota_rule.id'], name='fk_quota_filing_union_rule_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_filing_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_filing'),
        sa.UniqueConstraint('unit_id', 'year', name='uq_quota_filing_unit_id_year')
    )
    op.create_index('ix_quota_filing_representative_id', 'quota_filing', ['representative_id'])
    op.create_index('ix_quota_filing_year', 'quota_filing', ['year', 'state'])
    op.create_table(
        'quota_reminder',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('matter', sa.String(length=24), nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_reminder_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_reminder'),
        sa.UniqueConstraint('unit_id', 'year', 'matter', name='uq_quota_reminder_unit_id_year_matter')
    )
    op.create_table(
        'quota_upload',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'orders', 'filing'), nullable=False),
        sa.Column('file_name', sa.String(length=200), nullable=False),
        sa.Column('rows', NUMBER, nullable=False),
        sa.Column('new_rows', NUMBER, nullable=False),
        sa.Column('changed_rows', NUMBER, nullable=False),
        sa.Column('sent_by', NUMBER, nullable=True),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['sent_by'], ['user.id'], name='fk_quota_upload_sent_by'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_upload_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_upload')
    )
    op.create_index('ix_quota_upload_unit_id', 'quota_upload', ['unit_id'])
    op.create_table(
        'quota_outside_filing',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('base_fen', NUMBER, nullable=False),
        sa.Column('points', NUMBER, nullable=False),
        sa.Column('quota_fen', NUMBER, nullable=False),
        sa.Column('upload_id', NUMBER, nullable=False),
        sa.CheckConstraint('quota_fen >= 0', name=op.f('ck_quota_outside_filing_quota')),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_outside_filing_unit_id'),
        sa.ForeignKeyConstraint(['upload_id'], ['quota_upload.id'], name='fk_quota_outside_filing_upload_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_outside_filing'),
        sa.UniqueConstraint('unit_id', 'year', name='uq_quota_outside_filing_unit_id_year')
    )
    op.create_table(
        'quota_outside_order',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=60), nullable=False),
        sa.Column('counted_on', sa.Date(), nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('returned_fen', NUMBER, nullable=False),
        sa.Column('fund_source', _choice('fund_source', 'canteen', 'union', 'staff'), nullable=False),
        sa.Column('supplier', sa.Text(), nullable=False),
        sa.Column('goods', sa.Text(), nullable=False),
        sa.Column('upload_id', NUMBER, nullable=False),
        sa.CheckConstraint('amount_fen >= 0 AND returned_fen BETWEEN 0 AND amount_fen',
                           name=op.f('ck_quota_outside_order_amounts')),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_outside_order_unit_id'),
        sa.ForeignKeyConstraint(['upload_id'], ['quota_upload.id'], name='fk_quota_outside_order_upload_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_outside_order'),
        sa.UniqueConstraint('unit_id', 'number', name='uq_quota_outside_order_unit_id_number')
    )
    op.create_index('ix_quota_outside_order_day', 'quota_outside_order', ['unit_id', 'counted_on'])
    op.create_table(
        'quota_revision',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('filing_id', NUMBER, nullable=False),
        sa.Column('number', NUMBER, nullable=False),
        sa.Column('content', sa.JSON(), nullable=False),
        sa.Column('submitted_by', NUMBER, nullable=True),
        sa.Column('submitted_at', sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(['filing_id'], ['quota_filing.id'], name='fk_quota_revision_filing_id'),
        sa.ForeignKeyConstraint(['submitted_by'], ['user.id'], name='fk_quota_revision_submitted_by'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_revision'),
        sa.UniqueConstraint('filing_id', 'number', name='uq_quota_revision_filing_id_number')
    )
    op.create_table(
        'quota_succession',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('successor_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'merged', 'renamed'), nullable=False),
        sa.Column('from_day', sa.Date(), nullable=False),
        sa.Column('evidence_id', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'declared', 'confirmed', 'refused'), nullable=False),
        sa.Column('declared_by', NUMBER, nullable=True),
        sa.Column('declared_at', sa.DateTime(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.CheckConstraint('unit_id <> successor_id', name=op.f('ck_quota_succession_another')),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_quota_succession_decided_by'),
        sa.ForeignKeyConstraint(['declared_by'], ['user.id'], name='fk_quota_succession_declared_by'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_quota_succession_evidence_id'),
        sa.ForeignKeyConstraint(['successor_id'], ['organisation.id'], name='fk_quota_succession_successor_id'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_quota_succession_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_quota_succession')
    )
    op.create_index('ix_quota_succession_successor_id', 'quota_succession', ['successor_id'])
    op.create_index('uq_quota_succession_open', 'quota_succession', ['unit_id'], unique=True,
                    sqlite_where=sa.text("state <> 'refused'"), postgresql_where=sa.text("state <> 'refused'"))


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
