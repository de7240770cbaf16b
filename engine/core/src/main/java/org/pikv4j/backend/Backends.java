package org.pikv4j.backend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.pikv4j.error.BackendUnavailableException;
import org.pikv4j.error.InvalidOptionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** The backends that are known, in the order of their preference. */
public final class Backends {
    /** The choice that leaves the choice to us. */
    public static final String AUTO = "auto";

    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

    private final List<BackendProvider> providers;

    /**
     * @param more providers beyond those on the class path; they win over one of the same name
     */
    public Backends(List<BackendProvider> more) {
        List<BackendProvider> found = new ArrayList<>(more);
        for (BackendProvider provider : ServiceLoader.load(BackendProvider.class)) {
            if (more.stream().noneMatch(own -> own.name().equals(provider.name()))) {
                found.add(provider);
            }
        }
        found.sort(Comparator.comparingInt(BackendProvider::preference).reversed());
        providers = List.copyOf(found);
    }

    public List<BackendProvider> providers() {
        return providers;
    }

    /**
     * Opens a backend by name; under {@link #AUTO} the preferred one that is available, with the reason logged for each
     * that was passed over.
     *
     * @param name a provider's name, or {@link #AUTO}
     * @param options how it shall run
     * @return the backend, which the caller closes
     * @throws InvalidOptionException if there is no backend of that name
     * @throws BackendUnavailableException if it cannot run here
     */
    public Backend open(String name, BackendOptions options) {
        if (!name.equals(AUTO)) {
            return open(named(name), options);
        }
        List<String> passedOver = new ArrayList<>();
        for (BackendProvider provider : providers) {
            if (provider.probe() instanceof BackendStatus.Unavailable unavailable) {
                passedOver.add(describe(provider, unavailable));
                continue;
            }
            // The last resort is slow: whoever ends there should hear what would help.
            Level level = provider.equals(providers.getLast()) ? Level.WARN : Level.INFO;
            passedOver.forEach(reason -> LOG.atLevel(level).log("{}", reason));
            return open(provider, options);
        }
        throw new BackendUnavailableException(
                "no backend is available; add pikv4j-cpu to the class path. " + String.join(". ", passedOver));
    }

    private BackendProvider named(String name) {
        return providers.stream()
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidOptionException("backend '" + name + "' is unknown; known are " + AUTO
                        + ", " + providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "))));
    }

    private static Backend open(BackendProvider provider, BackendOptions options) {
        if (provider.probe() instanceof BackendStatus.Unavailable unavailable) {
            throw new BackendUnavailableException(describe(provider, unavailable));
        }
        Backend backend = provider.open(options);
        LOG.info("Backend {}", backend.description());
        return backend;
    }

    private static String describe(BackendProvider provider, BackendStatus.Unavailable status) {
        return "backend " + provider.name() + " is not available: " + status.reason() + "; " + status.remedy();
    }
}
