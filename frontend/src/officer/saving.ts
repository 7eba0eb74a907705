/** Giving a file to whoever sits in front of the page. */

const KEPT_MS = 60_000; // then the browser has begun to write it

export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => { URL.revokeObjectURL(url); }, KEPT_MS);
}
