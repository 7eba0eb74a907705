/** The neighbors' page. */

import "./ui/app";
