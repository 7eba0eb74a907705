/** Home Assistant's panel "Ringwatch". */

import "./panel";
