/** Makes an empty cluster in the folder named by the one argument; see `prepareCluster`. */
import { openCluster } from "./open-cluster.ts";

const folder = process.argv[2];
if (!folder) throw new Error("Say where the cluster is to be made.");
const { pg } = await openCluster(folder);
await pg.exec("CHECKPOINT");
await pg.close();
