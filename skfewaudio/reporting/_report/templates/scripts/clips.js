  // Clips: cards with a spectrogram and a player. The page contains the sound of a clip once.
  const sounds = new Map(Object.entries(numbers.media).map(([clip, sound]) => [Number(clip), sound]));
  for (const card of document.querySelectorAll(".cards li[data-clip]")) {
    const [image, audio] = [card.querySelector("img"), card.querySelector("audio")];
    sounds.set(Number(card.dataset.clip), {
      name: card.querySelector("h3").textContent,
      audio: audio ? audio.src : "",
      image: image ? image.src : "",
      image_text: image ? image.alt : "",
      problem: card.querySelector(".problem")?.textContent ?? "",
    });
  }
  const makePlayer = (sound) => {
    const audio = make("audio", { controls: true, preload: "metadata", src: sound.audio });
    audio.setAttribute("aria-label", `Play ${sound.name}`);
    return audio;
  };
  const makeCard = (clip, name, ...paragraphs) => {
    const sound = sounds.get(clip);
    const card = make("li");
    card.dataset.clip = clip;
    if (sound?.image) {
      card.append(make("img", { src: sound.image, alt: sound.image_text, width: 300, height: 96 }));
    }
    card.append(make("h3", { textContent: name }), ...paragraphs);
    if (sound?.audio) card.append(makePlayer(sound));
    else card.append(make("p", { className: "note", textContent: sound?.problem || "The sound is not in this page." }));
    return card;
  };
