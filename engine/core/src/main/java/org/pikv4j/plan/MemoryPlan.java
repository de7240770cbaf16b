package org.pikv4j.plan;

import java.util.List;
import java.util.Optional;

/**
 * What a model, its cache and a batch take, and whether that fits; the names of the components are the names in JSON.
 *
 * @param architecture the model's family
 * @param runnable whether the engine can run it
 * @param positions the longest context that the model was made for
 * @param context tokens of each sequence
 * @param batch sequences
 * @param devices devices
 * @param memoryBytes memory of one of them
 * @param kvDtype the form of the cache
 * @param parameters numbers of the model
 * @param activeParameters those that a token meets
 * @param weightsBytes the weights once, in 16 bits unless the file says float32
 * @param expertsBytes of these, the experts
 * @param activeWeightsBytes of the weights, those that a token meets
 * @param quantization what the file's weights are in, where they are quantised
 * @param storedWeightsBytes about what they take there, where that is known
 * @param kvBytesPerToken what one more token adds to a sequence in the long run, in layers whose window it has not left
 * @param kvWindowBytes what layers take whose window the sequence has left, whatever its length
 * @param kvBytes the cache of all sequences: whole pages; under kv auto at most the budget
 * @param kv the same by what it is; under kv auto as it is before pages become smaller
 * @param auto what kv auto makes of it, where it is on
 * @param routingBytes what is known of the experts of all sequences, on the heap, where shards are filled or read by them
 * @param scratchBytes activations and partial results, of one device
 * @param totalBytes all of it on all devices, of each its own copy of what they do not share out
 * @param device what the fullest device takes
 * @param shards what each of its shards holds; empty where there are none
 * @param fits whether that is within its memory, and the cache within its budget; under kv auto without forgetting tokens
 * @param maxContext the longest context that fits with this batch, at most the model's positions; 0 if none does
 * @param maxBatch the most sequences that fit with this context; 0 if not even one does
 * @param fullCacheFits whether an exact cache without a budget fits, with a tenth of the memory to spare
 * @param paper the paper's model of the same cache
 * @param step the time of a decode step, where a bandwidth is given
 * @param suggestions what would fit, the least loss first; empty where it fits
 * @param remarks what else is to be known, a line each
 */
public record MemoryPlan(
        String architecture,
        boolean runnable,
        int positions,
        int context,
        int batch,
        int devices,
        long memoryBytes,
        String kvDtype,
        long parameters,
        long activeParameters,
        long weightsBytes,
        long expertsBytes,
        long activeWeightsBytes,
        Optional<String> quantization,
        Optional<Long> storedWeightsBytes,
        long kvBytesPerToken,
        long kvWindowBytes,
        long kvBytes,
        CacheBytes kv,
        Optional<OneBudgetBytes> auto,
        long routingBytes,
        long scratchBytes,
        long totalBytes,
        DeviceBytes device,
        List<ShardBytes> shards,
        boolean fits,
        int maxContext,
        int maxBatch,
        boolean fullCacheFits,
        PaperModel paper,
        Optional<StepTime> step,
        List<Suggestion> suggestions,
        List<String> remarks) {

    public MemoryPlan {
        shards = List.copyOf(shards);
        suggestions = List.copyOf(suggestions);
        remarks = List.copyOf(remarks);
    }
}
