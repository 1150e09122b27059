"""Settings, from the environment only; `docs/configuration.md` lists every variable read here."""

from pathlib import Path
from typing import Any

from iclas import __version__
from iclas.environment import Environment
from iclas.home import Home

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- the home folder and what is generated in it -------------------------------------------------
ICLAS_HOME = Home(Path(env.str("ICLAS_HOME", default=str(BASE_DIR / "var"))).resolve())
ICLAS_HOME.build()
SECRET_KEY = env.str("SECRET_KEY", default="") or ICLAS_HOME.secret()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- ICLAS' own settings -------------------------------------------------------------------------
ICLAS_ENCODER = env.str("ICLAS_ENCODER", default="bundled")
ICLAS_ENCODER_RUNTIME = env.str("ICLAS_ENCODER_RUNTIME", default="onnxruntime")
ICLAS_GATE_THRESHOLD = env.float("ICLAS_GATE_THRESHOLD", default=-1.0)  # below 0: the gate's own
ICLAS_SESSION_GAP_S = env.float("ICLAS_SESSION_GAP_S", default=1800.0)
ICLAS_MAX_UPLOAD_BYTES = env.int("ICLAS_MAX_UPLOAD_BYTES", default=25 * 2**20)
ICLAS_REQUESTS_AT_ONCE = env.int("ICLAS_REQUESTS_AT_ONCE", default=8)
ICLAS_MAX_BULK_ITEMS = env.int("ICLAS_MAX_BULK_ITEMS", default=500)
ICLAS_MAX_BACKLOG = env.int("ICLAS_MAX_BACKLOG", default=10_000)  # 0: no limit
ICLAS_LEASE_S = env.int("ICLAS_LEASE_S", default=300)
ICLAS_MAX_ATTEMPTS = env.int("ICLAS_MAX_ATTEMPTS", default=5)
ICLAS_SWEEP_EVERY_S = env.float("ICLAS_SWEEP_EVERY_S", default=30.0)
ICLAS_STANDS_STILL_S = env.float("ICLAS_STANDS_STILL_S", default=60.0)
ICLAS_BUFFER_RECORDINGS = env.int("ICLAS_BUFFER_RECORDINGS", default=400)
ICLAS_SETTLE_DAYS = env.int("ICLAS_SETTLE_DAYS", default=7)
ICLAS_WORKER_THREADS = env.int("ICLAS_WORKER_THREADS", default=1)
ICLAS_HEARTBEAT_EVERY_S = env.int("ICLAS_HEARTBEAT_EVERY_S", default=300)
ICLAS_MONITOR_SILENT_S = env.int("ICLAS_MONITOR_SILENT_S", default=1800)
ICLAS_ALIVE_FILE = env.str("ICLAS_ALIVE_FILE", default="")  # empty: nobody watches
ICLAS_ADDRESS = env.str("ICLAS_ADDRESS", default="http://localhost:8000")
ICLAS_NOTIFY_NETWORKS = env.list("ICLAS_NOTIFY_NETWORKS", default=[])
ICLAS_NOTIFY_GIVE_UP_S = env.int("ICLAS_NOTIFY_GIVE_UP_S", default=24 * 3600)
ICLAS_MQTT_URL = env.str("ICLAS_MQTT_URL", default="")  # empty: no broker, no bridge
ICLAS_MQTT_CA_FILE = env.str("ICLAS_MQTT_CA_FILE", default="")
ICLAS_MQTT_DISCOVERY = env.str("ICLAS_MQTT_DISCOVERY", default="homeassistant")
ICLAS_MQTT_TOPIC = env.str("ICLAS_MQTT_TOPIC", default="iclas")
ICLAS_METRICS_TOKEN = env.str("ICLAS_METRICS_TOKEN", default="")  # empty: no metrics
ICLAS_TRACES_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")  # empty: no traces
LOG_FORMAT = env.str("LOG_FORMAT", default="plain")
ICLAS_VERSION = __version__

# --- applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "iclas",
    "dashboard",
    "bridge",
    "notify",
    "allauth",
    "allauth.account",
    "anomaly",
    "infants",
    "devices",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "iclas.telemetry.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "iclas.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dashboard.policy.ContentPolicyMiddleware",
]
ROOT_URLCONF = "iclas.urls"
ASGI_APPLICATION = "iclas.asgi.application"
AUTH_USER_MODEL = "infants.User"
LOGIN_URL = "dashboard:sign-in"
LOGIN_REDIRECT_URL = "dashboard:home"
LOGOUT_REDIRECT_URL = "dashboard:sign-in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "dashboard.frame.frame",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- database ------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{ICLAS_HOME.database}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write queues at its start instead of failing at its end.
    # synchronous=FULL: an answered upload survives a power cut; NORMAL does not promise that.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }

# --- who may come in -----------------------------------------------------------------------------
IS_EMBEDDED = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
SIGN_UP = env.str("SIGN_UP", default="open" if IS_EMBEDDED else "invited")
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES  # whose word on a client's address is taken
ACCOUNT_ADAPTER = "dashboard.start.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "dashboard.start.account_forms.LoginForm",
    "signup": "dashboard.start.account_forms.SignupForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = "ICLAS: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True  # a monitor's page by the bed shall not sign itself out
ACCOUNT_SIGNUP_REDIRECT_URL = "dashboard:start"
ACCOUNT_EMAIL_CONFIRMATION_ANONYMOUS_REDIRECT_URL = LOGIN_URL

# --- letters -------------------------------------------------------------------------------------
MAIL = env.email_url("EMAIL_URL", default=f"filemail:///{ICLAS_HOME.mail}")
EMAIL_BACKEND = MAIL["EMAIL_BACKEND"]
EMAIL_FILE_PATH = MAIL["EMAIL_FILE_PATH"]
EMAIL_HOST = MAIL["EMAIL_HOST"] or "localhost"
EMAIL_PORT = MAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER = MAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = MAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ICLAS <iclas@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- files ---------------------------------------------------------------------------------------
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "infants.depot.opening.depot_at",
        "OPTIONS": {
            "url": env.concealed("ICLAS_STORAGE_URL", default=""),
            "keys": env.concealed("ICLAS_STORAGE_KEYS", default=""),
            "home": ICLAS_HOME.storage,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = ICLAS_HOME.static
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_TEMP_DIR = ICLAS_HOME.uploads
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**16  # of a body on its way in: the rest waits on the disk
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = ICLAS_MAX_BULK_ITEMS + 1
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2 * ICLAS_MAX_BULK_ITEMS

# --- time and language ---------------------------------------------------------------------------
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("hi", "हिन्दी"),
    ("fr", "Français"),
    ("es", "Español"),
    ("de", "Deutsch"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- queue ---------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(ICLAS_HOME.broker),
        "data_folder_out": str(ICLAS_HOME.broker),
        "control_folder": str(ICLAS_HOME.broker / "control"),
        "polling_interval": 0.05,
    }
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 290  # below ICLAS_LEASE_S: a killed task's lease outlives it
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "iclas.pulse:SchedulerWithPulse"  # in memory: nothing pickled to disk
CELERY_BEAT_SCHEDULE = {
    # What no worker took in time is no longer wanted: the next one comes soon.
    "sweep": {
        "task": "iclas.tasks.sweep",
        "schedule": ICLAS_SWEEP_EVERY_S,
        "options": {"expires": ICLAS_SWEEP_EVERY_S},
    },
    "tell": {
        "task": "iclas.tasks.tell",
        "schedule": ICLAS_SWEEP_EVERY_S,
        "options": {"expires": ICLAS_SWEEP_EVERY_S},
    },
    "close-what-ended": {
        "task": "iclas.tasks.close_what_ended",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "erase-what-is-over": {
        "task": "iclas.tasks.erase_what_is_over",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
}
CELERY_TIMEZONE = "UTC"

# --- the API -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "devices.authentication.DeviceTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "iclas.problems.problem_response",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ICLAS",
    "DESCRIPTION": (
        "Infant Cry Longitudinal Analysis System. Research software, not a medical device."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": "infants.states.State",
        "AlertActionKindEnum": "notify.models.AlertAction.Kind",
        "AlertStateEnum": "notify.models.Alert.State",
        "DeviceKindEnum": "devices.models.Device.Kind",
        "DiaryKindEnum": "infants.models.DiaryEntry.Kind",
        "EpisodeKindEnum": "anomaly.models.Episode.Kind",
        "FollowerChannelEnum": "notify.models.Follower.Channel",
        "SeverityEnum": "notify.severity.Severity",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "iclas.openapi.add_problems",
    ],
}

# --- safety --------------------------------------------------------------------------------------
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=False)
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SESSION_COOKIE_SECURE else "http"  # of links in letters
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "iclas.telemetry.logs.Lines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # What these tell at every start is of their own set-up.
        "speechbrain": {"level": "WARNING"},
        "matplotlib": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        # It names addresses, which hold secrets.
        "apprise": {"level": "CRITICAL"},
    },
}
if LOG_FORMAT != "json":  # what loads a library is not named where nobody wants it
    LOGGING["formatters"] = {LOG_FORMAT: LOGGING["formatters"]["plain"]}
else:  # the web server has set up a log of its own by now
    LOGGING["loggers"] |= {name: {"handlers": []} for name in ("uvicorn", "uvicorn.error")}
