/** Lets a fixture cause the notifications that a change of the lists would. */
import type { McpHttpHandler } from '@modelcontextprotocol/server';

type ServerNotifier = McpHttpHandler['notify'];

class Triggers {
  #notifier: ServerNotifier | undefined;

  connect(notifier: ServerNotifier): void {
    this.#notifier = notifier;
  }

  toolsChanged(): void {
    this.#notifier?.toolsChanged();
  }

  promptsChanged(): void {
    this.#notifier?.promptsChanged();
  }
}

export const triggers = new Triggers();
