/** What a neighbor does to posts and comments: each asks what it has to, and says what went wrong. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { NotSent, type Home } from "../hub/home";
import { MAX_COMMENT, MAX_REASON } from "../protocol/bodies";
import { clean } from "../protocol/text";
import type { Type } from "../protocol/types";
import type { Json } from "../protocol/canonical";
import { errorText } from "../texts";
import type { Dialogs } from "./dialogs";
import { findPrivate } from "./hints";

export class Acting implements ReactiveController {
  busy = false;
  error = "";

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly home: () => Home,
    private readonly dialogs: () => Dialogs,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.error = "";
  }

  thank(target: string): Promise<boolean> {
    return this.send("thanks", { target });
  }

  async flag(target: string): Promise<boolean> {
    const answer = await this.dialogs().flag();
    if (!answer) return false;
    return this.send("flag", { target, reason: answer.reason, text: clean(answer.text, MAX_REASON, true) });
  }

  async withdraw(target: string): Promise<boolean> {
    return (await this.dialogs().withdraw()) && this.send("withdraw", { target });
  }

  async appeal(target: string): Promise<boolean> {
    const answer = await this.dialogs().appeal();
    const text = clean(answer ?? "", MAX_REASON, true);
    return text !== "" && this.send("appeal", { target, text });
  }

  async comment(post: string, typed: string): Promise<boolean> {
    const text = clean(typed, MAX_COMMENT, true);
    if (!text) return false;
    const hints = findPrivate(text);
    if (hints.length && !(await this.dialogs().hints(hints))) return false;
    return this.send("comment", { post, text });
  }

  private async send(type: Type, body: Json): Promise<boolean> {
    this.busy = true;
    this.error = "";
    this.host.requestUpdate();
    try {
      await this.home().submit(type, body);
      return true;
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      this.error = errorText(error.code);
      return error.code === "waiting"; // it will be sent: the text is not to be typed again
    } finally {
      this.busy = false;
      this.host.requestUpdate();
    }
  }
}
