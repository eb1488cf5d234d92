/** What a walk through the tree needs of a message. */
export interface TreeNode {
  id: string;
  parentId: string | null;
}

/** The messages from the first one to `headId`, oldest first. An unknown parent or a loop ends the walk. */
export function pathTo<Node extends TreeNode>(byId: ReadonlyMap<string, Node>, headId: string | null): Node[] {
  const path: Node[] = [];
  const seen = new Set<string>();
  let next = headId;
  while (next !== null && !seen.has(next)) {
    seen.add(next);
    const node = byId.get(next);
    if (!node) break;
    path.push(node);
    next = node.parentId;
  }
  return path.reverse();
}
