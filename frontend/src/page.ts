// What every page loads: parts that arrive without a reload, the theme, and what is offline.

import htmx from "htmx.org";

import { letInstall } from "./parts/install";
import { follow } from "./parts/live";
import { announceOffline } from "./parts/offline";
import { followTheme } from "./parts/theme";

htmx.config.includeIndicatorCSS = false;

followTheme();
announceOffline();
follow();
letInstall();
