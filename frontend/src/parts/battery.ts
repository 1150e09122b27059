// How full this phone's battery is, where the browser tells.

interface WithBattery {
  getBattery?: () => Promise<{ level: number }>;
}

export async function batteryFrac(): Promise<number | undefined> {
  try {
    return (await (navigator as WithBattery).getBattery?.())?.level;
  } catch {
    return undefined;
  }
}
