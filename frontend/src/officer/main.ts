/** The officer's page. */

import "./app";
