// What every page loads: parts that arrive without a reload, the theme, and what is offline.

import htmx from "htmx.org";

import { letInstall } from "./parts/install";
import { follow } from "./parts/live";
import { announceOffline } from "./parts/offline";
import { forgetInfants, keepDiary, offerOfflineDiary, rememberInfant } from "./parts/queue";
import { followTheme } from "./parts/theme";

htmx.config.includeIndicatorCSS = false;

followTheme();
announceOffline();
follow();
letInstall();
forgetInfants();
rememberInfant();
offerOfflineDiary();
keepDiary();
