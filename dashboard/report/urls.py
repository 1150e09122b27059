"""Where the protocol of 24 hours and the report are."""

from django.urls import path

from dashboard.report import views

urlpatterns = [
    path("infants/<uuid:infant_id>/protocol/", views.protocol, name="protocol"),
    path("infants/<uuid:infant_id>/report/", views.report, name="report"),
    path("infants/<uuid:infant_id>/report.pdf", views.report_pdf, name="report-pdf"),
]
