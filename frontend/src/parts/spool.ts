// Keeps clips on this device from the moment they end until the server has them, and no longer.

const NAME = "iclas-recorder";
const STORE = "clips";

export interface Spooled {
  id: string;
  infant: string;
  recordedAt: string;
  session: string;
  type: string;
  audio: ArrayBuffer;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Spool {
  private constructor(
    private readonly database: IDBDatabase,
    private readonly infant: string,
  ) {}

  static async open(infant: string): Promise<Spool> {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("infant", "infant");
    };
    return new Spool(await settled(opening), infant);
  }

  /** Put a clip down; when this has passed, it is on the disk. */
  async add(clip: Spooled): Promise<void> {
    const writing = this.database.transaction(STORE, "readwrite", { durability: "strict" });
    const written = new Promise<void>((resolve, reject) => {
      writing.oncomplete = () => resolve();
      writing.onabort = () => reject(writing.error);
    });
    writing.objectStore(STORE).add(clip);
    await written;
  }

  async remove(id: string): Promise<void> {
    const writing = this.database.transaction(STORE, "readwrite");
    await settled(writing.objectStore(STORE).delete(id));
  }

  async count(): Promise<number> {
    return settled(this.clips().count(this.infant));
  }

  /** Return the clip that waits longest: ids begin with their time. */
  async oldest(): Promise<Spooled | undefined> {
    const [first] = await settled<Spooled[]>(this.clips().getAll(this.infant, 1));
    return first;
  }

  private clips(): IDBIndex {
    return this.database.transaction(STORE, "readonly").objectStore(STORE).index("infant");
  }
}
