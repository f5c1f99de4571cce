package org.apache.flume.source.taildir;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which files TAILDIR follows, in the place of Flume 1.11's class of this name (docs/decisions/0013):
 * regular files, each under one name. Flume's own opens a FIFO and waits in it for ever, and reads
 * a file with two names from its beginning whenever it comes to the other one; a name that is no
 * UTF-8 ends the whole source.
 *
 * <p>pipeline/places.py has the same rules, and {@code status} names what is left out.
 */
public class TaildirMatcher {
    private static final Logger LOG = LoggerFactory.getLogger(TaildirMatcher.class);

    private final String fileGroup;
    private final Path folder;
    private final Pattern names;
    /** What was told already: once a life of the agent is enough. */
    private final Set<Path> told = new HashSet<>();

    private record Found(File file, boolean isLink, long inode, long modified) { }

    /**
     * Follows what is in the pattern's folder and has a name that its last part matches.
     *
     * @param cachePatternMatching of no effect: the folder is listed at each call
     */
    TaildirMatcher(String fileGroup, String filePattern, boolean cachePatternMatching) {
        File pattern = new File(filePattern);
        this.fileGroup = fileGroup;
        this.folder = pattern.getParentFile().toPath();
        // a line feed in a name is no reason to leave a till's orders unread
        this.names = Pattern.compile(pattern.getName(), Pattern.DOTALL);
    }

    /** Gives the files, the one that was changed longest ago first; none where it cannot list. */
    List<File> getMatchingFiles() {
        List<Found> all = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (names.matcher(entry.getFileName().toString()).matches()) {
                    look(entry, all);
                }
            }
        } catch (IOException e) {
            LOG.error("{} cannot be listed", folder, e);
        }
        // of two names the one that is no link, then the first of the alphabet
        all.sort(Comparator.comparing(Found::isLink).thenComparing(Found::file));
        Map<Long, Found> byInode = new HashMap<>();
        for (Found one : all) {
            Found first = byInode.putIfAbsent(one.inode(), one);
            if (first != null) {
                tell(one.file().toPath(), "it is another name of " + first.file().getName());
            }
        }
        return byInode.values().stream()
            .sorted(Comparator.comparingLong(Found::modified).thenComparing(Found::file))
            .map(Found::file).toList();
    }

    private void look(Path entry, List<Found> all) {
        try {
            if (!entry.toFile().toPath().equals(entry)) {
                tell(entry, "its name is no UTF-8");
                return;
            }
            Map<String, Object> has =
                Files.readAttributes(entry, "unix:ino,isRegularFile,lastModifiedTime");
            if (Boolean.TRUE.equals(has.get("isRegularFile"))) {
                all.add(new Found(entry.toFile(), Files.isSymbolicLink(entry), (Long) has.get("ino"),
                    ((FileTime) has.get("lastModifiedTime")).toMillis()));
            } else {
                tell(entry, "it is no regular file");
            }
        } catch (InvalidPathException e) {
            tell(entry, "its name is no UTF-8");
        } catch (IOException e) {
            LOG.debug("{} has gone meanwhile, or is a link to nothing", entry);
        }
    }

    private void tell(Path entry, String why) {
        if (told.add(entry)) {
            LOG.warn("{} is not read: {}", entry, why);
        }
    }

    public String getFileGroup() {
        return fileGroup;
    }

    @Override
    public String toString() {
        return fileGroup + ": " + folder + "/" + names;
    }
}
