// The page of one recording: its sound, drawn.

import { listenWithin } from "./parts/listening";

listenWithin(document);
