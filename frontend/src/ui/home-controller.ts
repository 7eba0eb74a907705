/** Has an element drawn again when its neighborhood changes. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Home } from "../hub/home";

export class HomeController implements ReactiveController {
  private followed: Home | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly home: () => Home,
  ) {
    host.addController(this);
  }

  hostUpdate(): void {
    const home = this.home();
    if (home === this.followed) return;
    this.hostDisconnected();
    this.followed = home;
    home.addEventListener("change", this.changed);
  }

  hostDisconnected(): void {
    this.followed?.removeEventListener("change", this.changed);
    this.followed = null;
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  private readonly changed = (): void => {
    this.host.requestUpdate();
  };
}
