"""Assembles the app; the only file that knows all packages. Importing it does no I/O."""

from typing import Any

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import catalog.capacity.models
import catalog.members.models
import catalog.models
import catalog.review.models
import orders.models
import orders.units.models
from catalog import api as catalog_api
from catalog import cli as catalog_cli
from catalog import jobs as catalog_jobs
from catalog import (
    lot_life_routes,
    lot_models,
    lot_payment_routes,
    lot_routes,
    products,
    village_routes,
    weigh_routes,
)
from catalog import routes as shop_routes
from catalog.capacity import checks as capacity_checks
from catalog.capacity import news as capacity_news
from catalog.capacity import routes as capacity_routes
from catalog.entry import jobs as entry_jobs
from catalog.entry import models as entry_models
from catalog.entry import office_routes as entry_office_routes
from catalog.entry import registration_routes as entry_registration_routes
from catalog.entry import routes as entry_routes
from catalog.importing import jobs as import_jobs
from catalog.importing import models as import_models
from catalog.importing import routes as import_routes
from catalog.importing import table as import_table
from catalog.members import routes as member_routes
from catalog.papers import jobs as paper_jobs
from catalog.papers import models as paper_models
from catalog.papers import routes as paper_routes
from catalog.review import jobs as review_jobs
from catalog.review import price_routes
from catalog.review import routes as review_routes
from catalog.terms import models as terms_models
from catalog.terms import routes as terms_routes
from catalog.tracing import models as tracing_models
from catalog.tracing import routes as tracing_routes
from market import (
    account_routes,
    api,
    config,
    db,
    faults,
    file_routes,
    files,
    households,
    i18n,
    journal,
    ledger,
    ledger_cli,
    linkages,
    login_frame,
    login_routes,
    mail,
    menus,
    message_rows,
    messages,
    metrics,
    notice_routes,
    notices,
    outbox,
    page_cache,
    parties,
    passwords,
    place_routes,
    places,
    places_cli,
    readiness,
    reset_routes,
    robots,
    sealing,
    serving_cli,
    settings,
    site_routes,
    submissions,
    told_routes,
    users,
    users_cli,
    web,
    worker,
)
from orders import api as orders_api
from orders import jobs as order_jobs
from orders import seasons, village_home
from orders.aftersale import credit_routes
from orders.aftersale import jobs as aftersale_jobs
from orders.aftersale import routes as aftersale_routes
from orders.agency import account_routes as agency_account_routes
from orders.agency import api as agency_api
from orders.agency import fee_routes
from orders.agency import routes as agency_routes
from orders.anomalies import jobs as anomaly_jobs
from orders.anomalies import models as anomaly_models
from orders.anomalies import routes as anomaly_routes
from orders.anomalies import village_routes as anomaly_village_routes
from orders.approving import api as approving_api
from orders.approving import models as approving_models
from orders.approving import news as approving_news
from orders.approving import office_routes as approving_office_routes
from orders.approving import routes as approving_routes
from orders.approving import village_routes as approving_village_routes
from orders.banking import news as banking_news
from orders.banking import routes as banking_routes
from orders.bulletins import checks as bulletin_checks
from orders.bulletins import models as bulletin_models
from orders.bulletins import news as bulletin_news
from orders.bulletins import office_routes as bulletin_office_routes
from orders.bulletins import routes as bulletin_routes
from orders.buying import cart, cart_routes
from orders.buying import routes as buying_routes
from orders.collective import models as collective_models
from orders.collective import news as collective_news
from orders.collective import routes as collective_routes
from orders.delivering import promises, recall_routes
from orders.delivering import routes as delivering_routes
from orders.delivering import village_routes as packing_routes
from orders.demo import cli as demo_cli
from orders.evidence import cli as evidence_cli
from orders.evidence import jobs as evidence_jobs
from orders.evidence import models as evidence_models
from orders.evidence import routes as evidence_routes
from orders.exports import jobs as export_jobs
from orders.exports import models as export_models
from orders.exports import routes as export_routes
from orders.forms import models as report_form_models
from orders.forms import routes as form_routes
from orders.households import figure_routes as household_figure_routes
from orders.households import member_routes as member_card_routes
from orders.households import models as household_models
from orders.households import register_routes as household_register_routes
from orders.households import routes as household_routes
from orders.households import sheet as household_sheet
from orders.income import checks, presence, wage_routes
from orders.income import routes as income_routes
from orders.income import shares as income_shares
from orders.inspection import models as inspection_models
from orders.inspection import routes as inspection_routes
from orders.linkages import confirm_routes as confirming_routes
from orders.linkages import declare_routes as declaring_routes
from orders.linkages import office_routes as office_linkage_routes
from orders.linkages import routes as linkage_routes
from orders.linkages import share_routes
from orders.opendata import models as open_data_models
from orders.opendata import publishing as open_data
from orders.opendata import routes as open_data_routes
from orders.openness import models as openness_models
from orders.openness import routes as openness_routes
from orders.openness import village as openness_village
from orders.ordering import api as ordering_api
from orders.ordering import list_routes as ordering_list_routes
from orders.ordering import models as ordering_models
from orders.ordering import routes as ordering_routes
from orders.overdue import jobs as overdue_jobs
from orders.overdue import models as overdue_models
from orders.overdue import office_routes as overdue_office_routes
from orders.overdue import routes as overdue_routes
from orders.overdue import village_routes as overdue_village_routes
from orders.papers import frame_routes, invoice_routes, statement_routes
from orders.papers import jobs as trade_paper_jobs
from orders.papers import models as trade_paper_models
from orders.papers import routes as trade_paper_routes
from orders.paying import (
    card_api,
    card_jobs,
    card_refunds,
    card_routes,
    card_village_routes,
    cards,
    gateway,
    payer_models,
    refund_jobs,
    refund_routes,
    setting_routes,
    terms_jobs,
    webhook_routes,
)
from orders.paying import routes as paying_routes
from orders.paying import village_routes as receipt_routes
from orders.payouts import account_routes as household_account_routes
from orders.payouts import checks as payout_checks
from orders.payouts import models as payout_models
from orders.payouts import office_routes as office_payout_routes
from orders.payouts import routes as payout_routes
from orders.periods import models as period_models
from orders.periods import news as period_news
from orders.periods import routes as period_routes
from orders.phone import api as phone_api
from orders.phone import jobs as phone_jobs
from orders.phone import models as phone_models
from orders.phone import routes as phone_routes
from orders.quota import jobs as quota_jobs
from orders.quota import models as quota_models
from orders.quota import office_routes as quota_office_routes
from orders.quota import routes as quota_routes
from orders.reconciling import cli as reconciling_cli
from orders.reconciling import jobs as reconciling_jobs
from orders.reconciling import lists as reconciling_lists
from orders.reconciling import models as reconciling_models
from orders.reconciling import night
from orders.reconciling import routes as reconciling_routes
from orders.reports import api as reports_api
from orders.reports import cli as report_cli
from orders.reports import models as report_models
from orders.reports import office_routes as report_office_routes
from orders.reports import routes as report_routes
from orders.risk import jobs as risk_jobs
from orders.risk import models as risk_models
from orders.risk import routes as risk_routes
from orders.standing import api as standing_api
from orders.standing import jobs as standing_jobs
from orders.standing import models as standing_models
from orders.standing import plans as standing_plans
from orders.standing import routes as standing_routes
from orders.units import api as unit_api
from orders.units import door_routes, handover
from orders.units import news as unit_news
from orders.units import office_routes as unit_office_routes
from orders.units import registration_routes as unit_registration_routes
from orders.units import routes as unit_routes
from orders.units import sheet as unit_sheet
from orders.units import table_routes as unit_table_routes

# a table counts once its module is read
TABLES = (places, parties, households, linkages, users, settings, files, ledger, sealing, journal, outbox, notices,
          submissions, catalog.models, catalog.review.models, lot_models, tracing_models, orders.models, import_models,
          entry_models, paper_models, catalog.capacity.models, catalog.members.models, terms_models, message_rows,
          messages, robots, orders.units.models, quota_models, standing_models, phone_models, trade_paper_models,
          inspection_models, ordering_models, approving_models, payer_models, reconciling_models, overdue_models,
          evidence_models, export_models, open_data_models,
          report_form_models, period_models,
          collective_models, risk_models, report_models,
          payout_models,
          openness_models,
          anomaly_models,
          bulletin_models,
          household_models)
BLUEPRINTS = (site_routes.bp, account_routes.bp, notice_routes.bp, reset_routes.bp, file_routes.bp, shop_routes.bp,
              village_routes.bp, cart_routes.bp, buying_routes.bp, delivering_routes.bp, paying_routes.bp,
              report_office_routes.bp, report_routes.bp, village_home.bp, lot_routes.bp, lot_life_routes.bp,
              lot_payment_routes.bp, wage_routes.bp, packing_routes.bp,
              receipt_routes.bp, income_routes.bp, place_routes.bp, tracing_routes.bp, import_routes.village_bp,
              import_routes.office_bp, review_routes.bp, price_routes.bp, recall_routes.bp,
              entry_registration_routes.bp, entry_routes.bp, entry_office_routes.bp, paper_routes.bp, weigh_routes.bp,
              capacity_routes.bp, member_routes.bp, aftersale_routes.bp, credit_routes.bp, terms_routes.bp,
              told_routes.bp, unit_routes.bp, door_routes.bp, unit_office_routes.bp, unit_registration_routes.bp,
              unit_table_routes.bp, quota_routes.bp, quota_office_routes.bp, standing_routes.bp, phone_routes.bp,
              trade_paper_routes.bp, statement_routes.bp, invoice_routes.bp, frame_routes.bp, inspection_routes.bp,
              ordering_routes.bp, ordering_list_routes.bp, approving_routes.bp, approving_village_routes.bp,
              approving_office_routes.bp, card_routes.bp, card_village_routes.bp, webhook_routes.bp, refund_routes.bp,
              setting_routes.bp, banking_routes.bp, agency_routes.bp, agency_account_routes.bp, fee_routes.bp,
              reconciling_routes.bp, overdue_routes.bp, overdue_village_routes.bp, overdue_office_routes.bp,
              evidence_routes.bp, export_routes.bp, open_data_routes.bp, form_routes.bp,
              linkage_routes.bp, declaring_routes.bp, share_routes.bp, office_linkage_routes.bp, confirming_routes.bp,
              period_routes.bp,
              collective_routes.bp, risk_routes.bp,
              payout_routes.bp, household_account_routes.bp, office_payout_routes.bp,
              openness_routes.bp,
              anomaly_routes.bp, anomaly_village_routes.bp,
              bulletin_routes.bp, bulletin_office_routes.bp,
              household_routes.bp, household_register_routes.bp, household_register_routes.changes_bp,
              household_register_routes.imports_bp, household_figure_routes.bp, member_card_routes.bp)
API_BLUEPRINTS = (catalog_api.bp, orders_api.bp, reports_api.bp, unit_api.bp, standing_api.bp, phone_api.bp,
                  ordering_api.bp, approving_api.bp, card_api.bp, agency_api.bp)
COMMANDS = (places_cli.group, users_cli.group, ledger_cli.group, catalog_cli.group, demo_cli.group,
            report_cli.report, serving_cli.serve, serving_cli.work, reconciling_cli.group,
            evidence_cli.group)
# in the order in which a desk's menu shows them within a group; the first four are also the bar of a phone
MENUS = (shop_routes.MENU, report_office_routes.MENU, report_routes.MENU, bulletin_routes.MENU,
         # a unit's day
         buying_routes.MENU, ordering_routes.MENU, delivering_routes.MENU, buying_routes.ORDERS_MENU,
         cart_routes.MENU, paying_routes.MENU, ordering_routes.LIST_MENU, standing_routes.MENU,
         # a co-operative's day
         agency_routes.MENU, village_home.MENU, weigh_routes.MENU, packing_routes.MENU, receipt_routes.MENU,
         packing_routes.LIST_MENU, phone_routes.MENU, aftersale_routes.MENU,
         # money, beside what of it is for every day
         banking_routes.MENU, overdue_routes.MENU, overdue_village_routes.MENU, overdue_office_routes.MENU,
         refund_routes.MENU, agency_account_routes.MENU, card_village_routes.MENU, reconciling_routes.MENU,
         fee_routes.MENU, setting_routes.MENU, period_routes.MENU, anomaly_village_routes.MENU,
         # goods and people of a co-operative; what offices decide
         village_routes.MENU, lot_routes.MENU, office_payout_routes.MENU, confirming_routes.MENU, lot_life_routes.MENU,
         review_routes.MENU, entry_office_routes.MENU, unit_office_routes.MENU, anomaly_routes.MENU, risk_routes.MENU,
         capacity_routes.MENU, quota_office_routes.MENU, office_linkage_routes.MENU, paper_routes.OFFICE_MENU,
         income_routes.MENU, payout_routes.MENU, declaring_routes.MENU, member_routes.MENU,
         household_account_routes.MENU, linkage_routes.MENU, member_routes.RETURN_MENU,
         household_routes.MENU, household_register_routes.MENU, collective_routes.MENU,
         # what is looked up
         quota_routes.MENU, inspection_routes.MENU, trade_paper_routes.MENU, recall_routes.MENU, price_routes.MENU,
         approving_office_routes.MENU, evidence_routes.MENU, form_routes.MENU,
         # what is set once
         unit_routes.MENU, door_routes.MENU, approving_routes.MENU, unit_table_routes.MENU, credit_routes.MENU,
         bulletin_office_routes.MENU,
         openness_routes.MENU, terms_routes.MENU, paper_routes.MENU, collective_routes.RULES_MENU,
         household_figure_routes.MENU, place_routes.MENU, import_routes.MENU,
         entry_registration_routes.MENU, entry_routes.MENU, unit_registration_routes.MENU,
         open_data_routes.MENU, notice_routes.MENU, export_routes.MENU, told_routes.MENU, login_routes.MENU,
         reset_routes.MENU)
JOBS = (worker.Job("search", catalog_jobs.follow_index, seconds=2),
        worker.Job("prices", review_jobs.watch_prices, seconds=3600),
        worker.Job("standings", entry_jobs.apply_standings, seconds=60),
        worker.Job("papers", paper_jobs.follow_day, seconds=600),
        worker.Job("handovers", handover.follow_day, seconds=600),
        worker.Job("quota", quota_jobs.follow_day, seconds=600),
        worker.Job("standing orders", standing_jobs.make_due, seconds=60),
        worker.Job("phone orders", phone_jobs.expire, seconds=60),
        worker.Job("cards", card_jobs.follow, seconds=1),
        worker.Job("refunds", refund_jobs.follow, seconds=30),
        worker.Job("unpaid orders", terms_jobs.expire, seconds=180),
        worker.Job("reconciliation", reconciling_jobs.begin_night, seconds=None),
        worker.Job("overdue", overdue_jobs.follow_day, seconds=600),
        worker.Job("evidence", evidence_jobs.make_next, seconds=2),
        worker.Job("evidence kept", evidence_jobs.follow_hours, seconds=600),
        worker.Job("report files", export_jobs.make_next, seconds=2),
        worker.Job("report files kept", export_jobs.follow_hours, seconds=600),
        worker.Job("open data", open_data.publish_next, seconds=600),
        worker.Job("risk signals", risk_jobs.follow_night, seconds=None),
        worker.Job("anomalies", anomaly_jobs.follow_day, seconds=600))
# rooms that bring HANDLERS for the outbox's messages and KINDS of notices
NEWS = (order_jobs, import_jobs, review_jobs, entry_jobs, paper_jobs, capacity_news, aftersale_jobs, unit_news,
        quota_jobs, standing_jobs, phone_jobs, trade_paper_jobs, approving_news, card_jobs, refund_jobs, terms_jobs,
        banking_news, reconciling_jobs, overdue_jobs, evidence_jobs, export_jobs, period_news, collective_news,
        risk_jobs, anomaly_jobs, bulletin_news)
# what waits for a visitor, by room
MONEY_WAITING = (overdue_routes.waiting_here, banking_routes.waiting_here, refund_routes.waiting_here,
                 reconciling_routes.waiting_here)
WAITING = (lot_routes.waiting_here, lot_life_routes.waiting_here, confirming_routes.waiting_here,
           office_linkage_routes.waiting_here, village_home.waiting_here,
           *MONEY_WAITING, overdue_office_routes.waiting_here, payout_routes.waiting_here,
           office_payout_routes.waiting_here,
           anomaly_routes.waiting_here, anomaly_village_routes.waiting_here,
           bulletin_routes.waiting_here,
           recall_routes.waiting_here, import_routes.waiting_here, review_routes.waiting_here,
           entry_office_routes.waiting_here, paper_routes.waiting_here, capacity_routes.waiting_here,
           member_routes.waiting_here, aftersale_routes.waiting_here, credit_routes.waiting_here,
           unit_routes.waiting_here, unit_office_routes.waiting_here, unit_table_routes.waiting_here,
           quota_routes.waiting_here, quota_office_routes.waiting_here, standing_routes.waiting_here,
           phone_routes.waiting_here, trade_paper_routes.waiting_here, approving_routes.waiting_here,
           period_routes.waiting_here,
           collective_routes.waiting_here, risk_routes.waiting_here,
           household_register_routes.waiting_here)
# figures for /metrics that rooms know: name, what it is, how to read it (None: nothing to tell)
GAUGES = ((reconciling_lists.AGE, "Seconds since the last good comparison with the card provider",
           reconciling_lists.age_seconds),)
A_YEAR = 31_536_000


def create_app(chosen: config.Config | None = None) -> Flask:
    """The whole site. Raises config.UnsafeSettings where production would start unsafely."""
    chosen = chosen or config.from_environment()
    app = Flask(__name__)
    app.config.from_mapping(chosen.for_flask())
    app.extensions["sijin"] = chosen
    faults.arm(chosen.faults)
    passwords.choose_cost(chosen.low_cost_hashes)
    db.init_app(app, chosen.data_dir)
    Migrate(app, db.db, directory=str(readiness.MIGRATIONS), render_as_batch=True)
    i18n.init_app(app)
    login_frame.init_app(app)
    web.init_app(app)
    app.extensions["sijin_demo"] = settings.demo_flag
    metrics.init_app(app)
    app.jinja_env.globals["newest_notices"] = notice_routes.newest
    app.jinja_env.globals["quota_bars"] = quota_routes.bars
    app.jinja_env.globals["card_panel_of"] = card_routes.panel_of
    app.jinja_env.globals["told_share"] = openness_routes.told_share
    app.extensions.update(
        sijin_jobs=JOBS,
        sijin_handlers={kind: handler for room in (*NEWS, mail, messages) for kind, handler in room.HANDLERS.items()},
        sijin_notices={kind: news for room in NEWS for kind, news in room.KINDS.items()}, sijin_waiting=WAITING,
        sijin_money_waiting=MONEY_WAITING,
        sijin_ages={"search": catalog_jobs.index_age_seconds},
    )
    app.extensions["sijin_sheets"] = {**import_table.KINDS, **unit_sheet.KINDS, **household_sheet.KINDS}
    app.extensions["sijin_takers"] = (standing_plans.hand_over,)
    app.extensions["sijin_gateway"] = gateway.Gateway(chosen)
    app.extensions["sijin_hands"] = night.Hands(book=cards.book, follow=card_refunds.look_again)
    app.extensions["sijin_gauges"] = GAUGES
    app.extensions["sijin_promises"] = promises.named
    app.extensions["sijin_place_followers"] = (products.follow_village, income_shares.follow_village,
                                             linkages.follow_village)
    app.extensions.update(
        sijin_presence=presence.things_of,
        sijin_checks=(*checks.CHECKS, *capacity_checks.CHECKS, *seasons.CHECKS, *payout_checks.CHECKS,
                      *bulletin_checks.CHECKS),
        sijin_sold_grams=seasons.sold_grams,
        sijin_village_figures=openness_village.read,
        sijin_reports=(report_routes.REPORTS, report_routes.LINES),
    )
    page_cache.init_app(app)
    shop_routes.init_app(app)
    app.extensions["sijin_cart_count"] = cart.count
    menus.add_desks(app, buying_routes.DESK)
    menus.add_desks(app, report_office_routes.DESK)
    menus.add_desks(app, village_home.DESK)
    menus.add_desks(app, entry_routes.DESK)
    menus.add_desks(app, entry_office_routes.DESK)
    menus.add_desks(app, agency_routes.DESK)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.init_app(app, API_BLUEPRINTS)
    for menu in MENUS:
        menus.add_menu(app, *menu)
    for group in COMMANDS:
        app.cli.add_command(group)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=app.static_folder, prefix="static/", max_age=A_YEAR
    )
    if chosen.proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=chosen.proxies, x_proto=chosen.proxies)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    return app


def __getattr__(name: str) -> Any:
    """`wsgi:app` for servers and commands, made when first asked for: an import must not touch the disk."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = create_app()
    return made
