import type { Conversation } from "../../../../shared/contract/conversation.ts";

export interface AgeGroup {
  label: "Today" | "Yesterday" | "Last 7 days" | "Last 30 days" | "Older";
  items: Conversation[];
}

const DAY_MS = 86_400_000;

function labelOf(updatedAt: string, todayStart: number): AgeGroup["label"] {
  const age = todayStart - Date.parse(updatedAt);
  if (age <= 0) return "Today";
  if (age <= DAY_MS) return "Yesterday";
  if (age <= 7 * DAY_MS) return "Last 7 days";
  return age <= 30 * DAY_MS ? "Last 30 days" : "Older";
}

/** Newest first, under the days as the person's own calendar has them. Empty groups are left out. */
export function groupByAge(conversations: readonly Conversation[], now: Date): AgeGroup[] {
  const todayStart = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups: AgeGroup[] = [];
  for (const item of [...conversations].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt))) {
    const label = labelOf(item.updatedAt, todayStart);
    const last = groups.at(-1);
    if (last?.label === label) last.items.push(item);
    else groups.push({ label, items: [item] });
  }
  return groups;
}

/** The conversations whose title holds every word that was typed, in any order and case. */
export function filterByTitle(conversations: readonly Conversation[], typed: string): Conversation[] {
  const words = typed.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return conversations.filter(({ title }) => words.every((word) => title.toLocaleLowerCase().includes(word)));
}
