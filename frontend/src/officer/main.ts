/** The officer's page. */

import "./keys";
