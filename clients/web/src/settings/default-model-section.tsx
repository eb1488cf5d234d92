import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { HEALTH_WORDS } from "../../../../shared/client/provider-words.ts";
import { api, meQuery, modelsQuery, sentenceOf } from "../app/api.ts";
import { choiceOf, modelChoices } from "../conversation/model-choices.ts";
import { inputLook } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";

export function DefaultModelSection({ workspaceId }: { workspaceId: string }) {
  const client = useQueryClient();
  const key = ["workspace-settings", workspaceId];
  const settings = useQuery({ queryKey: key, queryFn: () => api.workspaces.settings(workspaceId) });
  const models = useQuery(modelsQuery);
  const save = useMutation({
    mutationFn: (defaultModel: string | null) => {
      const ifVersion = settings.data?.version;
      return api.workspaces.updateSettings(workspaceId, { defaultModel }, ifVersion === undefined ? {} : { ifVersion });
    },
    onSuccess: (saved) => {
      client.setQueryData(key, saved);
      return client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
    onError: () => client.invalidateQueries({ queryKey: key }),
  });
  const problem = settings.error ?? models.error ?? save.error;
  const current = settings.data?.defaultModel ?? "";
  const choices = modelChoices(models.data ?? []);
  const names = choices.map(({ name, label, provider, health }) => {
    const trouble = health === "down" ? ` (${HEALTH_WORDS.down.toLowerCase()})` : "";
    return { name, text: `${label} · ${provider}${trouble}` };
  });
  const known = choiceOf(choices, current);
  return (
    <div className="space-y-3">
      {problem ? <Note look="error">{sentenceOf(problem)}</Note> : null}
      <select
        aria-label="Default model of this workspace"
        className={`field ${inputLook}`}
        value={known?.name ?? current}
        disabled={!settings.data || save.isPending}
        onChange={(event) => save.mutate(event.target.value === "" ? null : event.target.value)}
      >
        <option value="">No default: the first healthy model</option>
        {known || current === "" ? null : <option value={current}>{current} (not reachable now)</option>}
        {names.map(({ name, text }) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
      <p role="status" className="text-[13px] text-soft empty:-mt-3">
        {save.isSuccess ? "Saved. It applies to the next message." : ""}
      </p>
    </div>
  );
}
